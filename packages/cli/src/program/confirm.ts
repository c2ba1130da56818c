import { WeftError } from '@weft/core'
import type { Output } from '../output/output.ts'
import { readFirstLine } from './read-first-line.ts'

/** Characters of an answer: more is none. */
const MAX_ANSWER = 16

/**
 * Asks the person at a terminal before what cannot be taken back; where there is none nobody is asked.
 * @param question ends with a question mark. @throws WeftError E_NOT_CONFIRMED unless the answer is yes; E_INTERRUPTED, E_TIMEOUT
 */
export async function confirm(
  question: string,
  { output, signal }: { readonly output: Output; readonly signal: AbortSignal },
  stdin: NodeJS.ReadStream = process.stdin,
): Promise<void> {
  if (!stdin.isTTY) return
  output.stderr.write(`${question} [y/N] `)
  const answer = await readFirstLine(stdin, MAX_ANSWER, signal)
  if (/^y(es)?$/i.test(answer?.trim() ?? '')) return
  throw new WeftError({
    code: 'E_NOT_CONFIRMED',
    cause: 'You did not say yes, and nothing was done.',
    fix: 'Run it again and answer y, or give --yes.',
  })
}
