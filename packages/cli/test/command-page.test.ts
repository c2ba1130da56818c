import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { EXIT } from '../src/program/exit-code.ts'
import { ALL_COMMANDS } from '../src/specs/all-commands.ts'

const page = readFileSync(new URL('../../../docs/specs/cli.md', import.meta.url), 'utf8')
const rows = (form: RegExp): string[] =>
  page
    .split('\n')
    .filter((line) => form.test(line))
    .map((line) => line.split(' | ').slice(0, 2).join(' | '))

test('docs/specs/cli.md has every command with its options', () => {
  const expected = ALL_COMMANDS.map(({ words, arguments: args = [], options = [] }) => {
    const line = ['weft', ...words, ...args.map(({ name }) => name)].join(' ')
    const flags = options.map(({ flags: text }) => `\`${/--[a-z-]+/.exec(text)?.[0] ?? text}\``)
    return `| \`${line}\` | ${flags.join(' ')}`
  })
  assert.deepEqual(rows(/^\| `weft /), expected)
})

test('docs/specs/cli.md has every exit code', () => {
  assert.deepEqual(
    rows(/^\| \d+ \|/),
    Object.entries(EXIT).map(([name, code]) => `| ${code} | ${name}`),
  )
})
