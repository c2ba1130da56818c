import { START_FLAGS } from '../../src/config/parse-flags.ts'
import { explainSetting } from '../../src/config/explain-setting.ts'
import { SETTING_KEYS } from '../../src/config/settings.ts'

/** The text of docs/configuration.md; a test compares the file with it. */
export function configurationReference(): string {
  const lines = [
    '# Configuration of a node',
    '',
    'Generated from `packages/node/src/config/settings.ts`: do not edit (`WEFT_TEST_WRITE_DOCS=1 npm test` writes it).',
    '',
    'A daemon reads `weft.toml` in its home, then the environment, then its flags; the later wins. Names that do not exist are',
    'refused with the nearest one that does. `weft config explain KEY` prints the same.',
    '',
  ]
  let section = ''
  for (const { key, summary, syntax, fallback, absent, variable, flag } of SETTING_KEYS.map(explainSetting)) {
    const [head = '', name = ''] = key.split('.')
    if (head !== section) lines.push(`## [${head}]`, '')
    section = head
    lines.push(`### \`${name}\``, '', summary, '')
    lines.push(`- value: ${syntax}`, `- default: ${fallback === undefined ? (absent ?? 'none') : `\`${fallback}\``}`)
    lines.push(`- environment: \`${variable}\`${flag === undefined ? '' : `; flag: \`${flag}\``}`, '')
  }
  lines.push('## Flags of one start', '')
  for (const [flag, summary] of Object.entries(START_FLAGS)) lines.push(`- \`--${flag}\`: ${summary}`)
  return `${lines.join('\n')}\n`
}
