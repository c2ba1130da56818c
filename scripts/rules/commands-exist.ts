import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ALL_COMMANDS } from '@weft/cli'
import { SETTING_KEYS, START_FLAGS, settingOf } from '@weft/node'
import { listFiles } from '../lib/list-files.ts'
import type { RepositoryRule } from '../lib/repository-rule.ts'

/** What people read of Weft: fixes, help and comments, and the pages. */
const TEXTS = ['packages/*/src/**/*.{ts,tsx}', 'docs/**/*.md', '*.md']
/** These name commands of Weft, too; flags that stand alone in them are those of other programs. */
const SCRIPTS = ['scripts/*.ts', 'scripts/{lib,rules,tour}/**/*.ts']

/** `weft`, its one to three words, and what follows them up to the end of the sentence or of the piece of code. */
const MENTION =
  /(?<![\w@/.-])weft ([a-z][a-z-]*)\b(?: ([a-z][a-z-]*)\b(?: (?!weft )([a-z][a-z-]*)\b)?)?((?:(?!\bweft |\. )[^`'",;)])*)/g
const FLAG = /(?<![\w-])--[a-z][a-z-]*/g
/** Between backticks, the flag first. */
const QUOTED_FLAG = /`(--[a-z][a-z-]*)[^`]*`/g
const FIX = /\bfix: (['"`].*)/

/** Flags by command; all take the two of the program. */
const FLAGS: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  ALL_COMMANDS.map(({ words, options = [] }) => [
    words.join(' '),
    new Set(['--help', '--json', ...options.flatMap(({ flags }) => flags.match(FLAG) ?? [])]),
  ]),
)
const GROUPS: ReadonlySet<string> = new Set(
  ALL_COMMANDS.flatMap(({ words }) => words.slice(1).map((_, at) => words.slice(0, at + 1).join(' '))),
)
/** Those of the commands and of the daemon, and one of npm that the pages explain. */
const ANY_FLAG: ReadonlySet<string> = new Set([
  ...[...FLAGS.values()].flatMap((flags) => [...flags]),
  ...SETTING_KEYS.map((key) => `--${settingOf(key).flag ?? ''}`),
  ...Object.keys(START_FLAGS).map((flag) => `--${flag}`),
  '--omit',
])

/** A fix that names a command which is not there is worse than none. */
export const commandsExist: RepositoryRule = {
  name: 'a command or flag that is named exists',
  check: (root) => [
    ...findIn(root, TEXTS, (line) => [...wrongMentions(line), ...wrongFlags(line)]),
    ...findIn(root, SCRIPTS, wrongMentions),
  ],
}

function findIn(root: string, patterns: readonly string[], breachesOf: (line: string) => readonly string[]): string[] {
  return listFiles(root, patterns).flatMap((file) =>
    readFileSync(join(root, file), 'utf8')
      .split('\n')
      .flatMap((line, index) => breachesOf(line).map((breach) => `${file}:${index + 1} names ${breach}`)),
  )
}

function wrongMentions(line: string): string[] {
  return [...line.matchAll(MENTION)].flatMap(([, first = '', second, third, rest = '']) => {
    let words = first
    for (const word of [second, third]) if (word !== undefined && GROUPS.has(words)) words += ` ${word}`
    const flags = FLAGS.get(words)
    if (flags === undefined) return GROUPS.has(words) ? [] : [`weft ${words}, which is no command`]
    return (rest.match(FLAG) ?? [])
      .filter((flag) => !flags.has(flag))
      .map((flag) => `weft ${words} ${flag}, which it does not take`)
  })
}

/** Flags without their command: between backticks, and anywhere in a fix. */
function wrongFlags(line: string): string[] {
  const quoted = Array.from(line.matchAll(QUOTED_FLAG), ([, flag = '']) => flag)
  const inFix = FIX.exec(line.replaceAll(MENTION, ''))?.[1]?.match(FLAG) ?? []
  return [...new Set([...quoted, ...inFix])]
    .filter((flag) => !ANY_FLAG.has(flag))
    .map((flag) => `${flag}, which nothing takes`)
}
