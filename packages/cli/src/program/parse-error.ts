import type { CommanderError } from 'commander'
import type { WeftError } from '@weft/core'
import { usageError } from './usage-error.ts'

/**
 * The parser's complaint as one of ours: "error: unknown command 'pt'\n(Did you mean put?)" becomes a cause, and the
 * suggestion its fix.
 */
export function parseError(error: CommanderError, words: string): WeftError {
  const [first = '', ...rest] = error.message.replace(/^error: /, '').split('\n')
  const suggestion = /\(Did you mean (?:one of )?(.+?)\?\)/.exec(rest.join(' '))?.[1]
  const cause = `${first.charAt(0).toUpperCase()}${first.slice(1).replace(/\.$/, '')}.`
  const help = `weft ${words}${words === '' ? '' : ' '}--help`
  return usageError(cause, suggestion === undefined ? `See ${help}` : `Did you mean ${suggestion}? See ${help}`)
}
