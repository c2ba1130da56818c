import { WeftError, wait } from '@weft/core'
import { type ApiClient, referencedClock } from '@weft/devnet'
import type { LeaveAnswer } from '@weft/node'
import type { Output } from '../output/output.ts'

/** ms between two looks at how far it is. */
const LOOK_MS = 300
/** ms for the daemon to hear that it stays. */
const UNDO_MS = 5_000

/**
 * Has the node leave the network in good order, and waits for it. When the signal fires the node stays a member.
 * @throws WeftError E_ABORTED, and what kept the node from leaving
 */
export async function drain(
  api: ApiClient,
  output: Output,
  signal: AbortSignal,
): Promise<Pick<LeaveAnswer, 'records' | 'safe'>> {
  let told = ''
  try {
    let answer = await api.json<LeaveAnswer>('POST', '/api/v1/leave', {}, { signal })
    while (answer.state === 'leaving') {
      const line =
        answer.step === 'records'
          ? `Records handed over: ${answer.safe} of ${answer.records} looked at.`
          : 'Leaving the map of the network.'
      if (line !== told) output.note(line)
      told = line
      await wait(referencedClock, LOOK_MS, signal)
      answer = await api.json<LeaveAnswer>('GET', '/api/v1/leave', undefined, { signal })
    }
    if (answer.state === 'left') return { records: answer.records, safe: answer.safe }
    throw new WeftError(
      answer.fault ?? {
        code: 'E_ABORTED',
        cause: 'Leaving was taken back by somebody else.',
        fix: 'Run weft stop --drain again.',
      },
    )
  } catch (error) {
    if (signal.aborted) {
      await api.json('DELETE', '/api/v1/leave', undefined, { signal: AbortSignal.timeout(UNDO_MS) }).catch(() => {})
    }
    throw error
  }
}
