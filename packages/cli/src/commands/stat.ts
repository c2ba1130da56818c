import { isWeftError, wait, WeftError } from '@weft/core'
import { type ApiClient, referencedClock } from '@weft/devnet'
import type { ObjectStatusAnswer } from '../daemon/answers.ts'
import { openApi } from '../daemon/open-api.ts'
import { faultLines } from '../output/fault-lines.ts'
import { formatBytes, formatTime, shortId } from '../output/format.ts'
import type { Output } from '../output/output.ts'
import type { Invocation } from '../program/invocation.ts'

/** ms between two looks of --wait: each asks every holder. */
const LOOK_EVERY_MS = 1_000

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const api = openApi(invocation)
  const ref = invocation.argument(0)
  const status = invocation.flag('wait')
    ? await waitUntilHealthy(api, ref, signal)
    : await objectStatus(api, ref, signal)
  output.document({ ...status })
  output.print(...objectLines(status, output))
}

/** The reference goes in the body: it holds the key, and a body is never logged. */
export function objectStatus(api: ApiClient, ref: string, signal: AbortSignal): Promise<ObjectStatusAnswer> {
  return api.json<ObjectStatusAnswer>('POST', '/api/v1/object/stat', { ref }, { signal })
}

/** Until --timeout fires the signal: then the last state seen is the reason that is told. */
async function waitUntilHealthy(api: ApiClient, ref: string, signal: AbortSignal): Promise<ObjectStatusAnswer> {
  let last: ObjectStatusAnswer | undefined
  try {
    for (;;) {
      last = await objectStatus(api, ref, signal)
      if (last.health === 'healthy') return last
      await wait(referencedClock, LOOK_EVERY_MS, signal)
    }
  } catch (error) {
    throw isWeftError(error, 'E_TIMEOUT') && last !== undefined ? unhealthyError(last) : error
  }
}

function unhealthyError(status: ObjectStatusAnswer): WeftError {
  return new WeftError({
    code: 'E_TIMEOUT',
    cause: `The object is still ${status.health}${status.fault ? `: ${status.fault.cause}` : '.'}`,
    fix: status.fault?.fix ?? 'Wait longer with --timeout.',
    retryable: true,
  })
}

function objectLines(status: ObjectStatusAnswer, output: Output): string[] {
  const { k, n, name } = status.class
  const colour = status.health === 'healthy' ? 'green' : status.health === 'degraded' ? 'yellow' : 'red'
  return [
    `object   ${status.object}`,
    `size     ${formatBytes(status.size)} in ${status.segments.length} segments`,
    `class    ${name}: any ${k} of ${n} shards restore a segment`,
    `expires  ${formatTime(status.expiresAt)}`,
    `health   ${output.styled(colour, status.health)}`,
    ...(status.fault ? faultLines(status.fault, output) : []),
    ...status.relaxed.map((rule) => `  ${output.styled('yellow', 'relaxed')}: ${rule}`),
    ...status.segments.flatMap((segment) => [
      `segment ${segment.index}: ${segment.alive} of ${n} shards stored`,
      ...segment.shards.map(
        ({ index, node, state }) => `  shard ${index}  ${shortId(node)}  ${stateWord(state, output)}`,
      ),
    ]),
  ]
}

function stateWord(state: string, output: Output): string {
  return output.styled(state === 'stored' ? 'green' : state === 'unreachable' ? 'yellow' : 'red', state)
}
