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
  const table: Completion[] = []
  const firsts = new Map<string, string>()
  for (const { words, summary } of specs) {
    const [first, second] = words as [string, string | undefined]
    if (second === undefined) firsts.set(first, summary)
    else if (!firsts.has(first)) {
      const members = specs.filter((spec) => spec.words[0] === first)
      firsts.set(first, members.map((spec) => spec.words[1]).join(', '))
      table.push({
        words: [first],
        next: members.map((spec) => ({ word: spec.words[1] as string, summary: spec.summary })),
      })
    }
  }
  table.unshift({ words: [], next: [...firsts].map(([word, summary]) => ({ word, summary })) })
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

function bash(table: readonly Completion[]): string {
  const cases = table
    .map(({ words, next }) => `    '${words.join(' ')}') words='${next.map(({ word }) => word).join(' ')}' ;;`)
    .join('\n')
  return `# bash completion for weft
_weft() {
  local current="\${COMP_WORDS[COMP_CWORD]}" line='' word words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) [ "$(wc -w <<<"$line")" -lt 2 ] && line="\${line:+$line }$word" ;; esac
  done
  case "$line" in
${cases}
    *) line="\${line%% *}"; case "$line" in
${cases}
    esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
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
  local line="\${(j: :)plain[1,2]}"
  _weft_items "$line" || _weft_items "\${plain[1]}"
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
  const firsts = table[0]?.next.map(({ word }) => word) ?? []
  const lines = table.flatMap(({ words, next }) => {
    const [first, second] = words
    const seconds = table
      .filter((entry) => entry.words.length === 2 && entry.words[0] === first)
      .map((entry) => entry.words[1])
    const condition =
      first === undefined
        ? `not __fish_seen_subcommand_from ${firsts.join(' ')}`
        : `__fish_seen_subcommand_from ${first}${
            second === undefined
              ? seconds.length === 0
                ? ''
                : `; and not __fish_seen_subcommand_from ${seconds.join(' ')}`
              : `; and __fish_seen_subcommand_from ${second}`
          }`
    return next.map(({ word, summary }) => {
      const what = word.startsWith('--') ? `-l ${word.slice(2)}` : `-f -a ${word}`
      return `complete -c weft -n ${quoted(condition)} ${what} -d ${quoted(summary)}`
    })
  })
  return `# fish completion for weft\n${lines.join('\n')}\n`
}
