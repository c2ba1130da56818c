import type { Invocation } from './invocation.ts'
import { readFirstLine } from './read-first-line.ts'
import { usageError } from './usage-error.ts'

export interface SecretKind {
  /** What it is called, e.g. `reference`. */
  readonly name: string
  /** Characters that one may have, with room. */
  readonly limit: number
  /** The command that prints it. */
  readonly source: string
}

/**
 * The secret that a command is given as its first argument; `-` stands for the first line of standard input: every user
 * of a machine can read the command lines of the others.
 * @throws WeftError E_USAGE when there is none; E_INTERRUPTED, E_TIMEOUT
 */
export async function secretArgument(invocation: Invocation, { name, limit, source }: SecretKind): Promise<string> {
  const given = invocation.argument(0)
  if (given !== '-') return given
  if (process.stdin.isTTY) invocation.output.note(`Paste the ${name} and press Enter:`)
  const line = await readFirstLine(process.stdin, limit, invocation.signal)
  const secret = line?.trim() ?? ''
  if (secret === '') {
    throw usageError(
      line === undefined
        ? `The first line of standard input has more than ${limit} characters.`
        : `Standard input holds no ${name}.`,
      `Give it the one line that ${source} printed.`,
    )
  }
  return secret
}
