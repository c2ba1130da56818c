import type { Invocation } from './invocation.ts'
import { readFirstLine } from './read-first-line.ts'
import { usageError } from './usage-error.ts'

/** Characters of a reference, with room; the API takes 512. */
const MAX_LINE = 1024

/**
 * The reference that a command is given as its first argument; `-` stands for the first line of standard input. A
 * reference holds the key of its object, and every user of a machine can read the command lines of the others.
 * @throws WeftError E_USAGE when there is none; E_INTERRUPTED, E_TIMEOUT
 */
export async function referenceArgument(invocation: Invocation): Promise<string> {
  const given = invocation.argument(0)
  if (given !== '-') return given
  if (process.stdin.isTTY) invocation.output.note('Paste the reference and press Enter:')
  const line = await readFirstLine(process.stdin, MAX_LINE, invocation.signal)
  const reference = line?.trim() ?? ''
  if (reference === '') {
    throw usageError(
      line === undefined
        ? `The first line of standard input has more than ${MAX_LINE} characters.`
        : 'Standard input holds no reference.',
      'Give it the one line that weft put printed.',
    )
  }
  return reference
}
