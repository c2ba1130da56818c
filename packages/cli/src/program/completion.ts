import { JSON_OPTION } from '../specs/common-options.ts'
import type { DescribedCommand } from './described-command.ts'

export type Shell = 'bash' | 'zsh' | 'fish'

/** What can follow a line that begins with `words`: commands, and the long options of a whole command. */
interface Completion {
  readonly words: readonly string[]
  readonly next: readonly { readonly word: string; readonly summary: string }[]
}

/** The completion script of a shell, made from the same table as the parser and the help. */
export function completionScript(shell: Shell, commands: readonly DescribedCommand[]): string {
  const table = completions(commands)
  switch (shell) {
    case 'bash':
      return bash(table)
    case 'zsh':
      return zsh(table)
    case 'fish':
      return fish(table)
    default:
      throw new RangeError(`no completion for ${String(shell)}`)
  }
}

function completions(specs: readonly DescribedCommand[]): Completion[] {
  const table: Completion[] = groupsOf(specs).map((words) => ({ words, next: membersOf(words, specs) }))
  for (const spec of specs) {
    const options = [...(spec.options ?? []), JSON_OPTION, { flags: '--help', description: 'show help' }]
    const choices = (spec.arguments ?? []).flatMap((argument) =>
      (argument.choices ?? []).map((word) => ({ word, summary: argument.description })),
    )
    const flags = options.map(({ flags: text, description }) => ({
      word: /--[a-z-]+/.exec(text)?.[0] ?? text,
      summary: description,
    }))
    table.push({ words: spec.words, next: [...choices, ...flags] })
  }
  return table
}

/** Whatever commands begin with: nothing at all first, then each group before those in it. */
function groupsOf(specs: readonly DescribedCommand[]): readonly (readonly string[])[] {
  const groups = new Map<string, readonly string[]>([['', []]])
  for (const { words } of specs)
    for (const [at] of words.entries()) if (at > 0) groups.set(words.slice(0, at).join(' '), words.slice(0, at))
  return [...groups.values()]
}

/** What follows these words; a group is described by what is in it. */
function membersOf(group: readonly string[], specs: readonly DescribedCommand[]): Completion['next'] {
  const below = specs.filter(({ words }) => begins(words, group))
  const nexts = new Set(below.map(({ words }) => words[group.length] as string))
  return [...nexts].map((word) => {
    const members = below.filter(({ words }) => words[group.length] === word)
    const deeper = new Set(members.flatMap(({ words }) => words[group.length + 1] ?? []))
    return { word, summary: deeper.size === 0 ? (members[0]?.summary ?? '') : [...deeper].join(', ') }
  })
}

function begins(words: readonly string[], group: readonly string[]): boolean {
  return words.length > group.length && group.every((word, at) => words[at] === word)
}

/** Words of the longest command. */
function depthOf(table: readonly Completion[]): number {
  return Math.max(...table.map(({ words }) => words.length))
}

function bash(table: readonly Completion[]): string {
  const cases = table
    .map(({ words, next }) => `    '${words.join(' ')}') words='${next.map(({ word }) => word).join(' ')}' ;;`)
    .join('\n')
  return `# bash completion for weft
_weft() {
  local current="\${COMP_WORDS[COMP_CWORD]}" line='' word words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) [ "$(wc -w <<<"$line")" -lt ${depthOf(table)} ] && line="\${line:+$line }$word" ;; esac
  done
  until _weft_words "$line"; do
    case "$line" in *' '*) line="\${line% *}" ;; *) break ;; esac
  done
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
_weft_words() {
  case "$1" in
${cases}
    *) return 1 ;;
  esac
}
complete -o default -F _weft weft
`
}

function zsh(table: readonly Completion[]): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
  const cases = table
    .map(({ words, next }) => {
      const items = next.map(({ word, summary }) => quoted(`${word}:${summary}`)).join(' ')
      return `    ${quoted(words.join(' '))}) items=(${items}) ;;`
    })
    .join('\n')
  return `#compdef weft
_weft() {
  local -a items plain
  plain=(\${\${words[2,CURRENT-1]}:#-*})
  integer depth=${depthOf(table)}
  while ! _weft_items "\${(j: :)plain[1,depth]}" && (( depth > 1 )); do (( depth-- )); done
  _describe 'weft' items || _files
}
_weft_items() {
  case "$1" in
${cases}
    *) return 1 ;;
  esac
}
compdef _weft weft
`
}

function fish(table: readonly Completion[]): string {
  const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  const lines = table.flatMap(({ words, next }) => {
    const deeper = table.filter((entry) => entry.words.length === words.length + 1 && begins(entry.words, words))
    const conditions = [
      ...words.map((word) => `__fish_seen_subcommand_from ${word}`),
      ...(deeper.length === 0
        ? []
        : [`not __fish_seen_subcommand_from ${deeper.map((entry) => entry.words.at(-1)).join(' ')}`]),
    ]
    return next.map(({ word, summary }) => {
      const what = word.startsWith('--') ? `-l ${word.slice(2)}` : `-f -a ${word}`
      return `complete -c weft -n ${quoted(conditions.join('; and '))} ${what} -d ${quoted(summary)}`
    })
  })
  return `# fish completion for weft\n${lines.join('\n')}\n`
}
