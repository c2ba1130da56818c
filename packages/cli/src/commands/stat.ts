import { counted, isWeftError, wait, WeftError } from '@weft/core'
import { type ApiClient, referencedClock } from '@weft/devnet'
import type { ObjectStatusAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import { faultLines } from '../output/fault-lines.ts'
import { formatBytes, formatTime, shortId } from '../output/format.ts'
import type { Output } from '../output/output.ts'
import type { Invocation } from '../program/invocation.ts'
import { referenceArgument } from '../program/reference-argument.ts'

/** ms between two looks of --wait: each asks every holder. */
const LOOK_EVERY_MS = 1_000
/** docs/specs/objects.md: an object has at most 2^20 segments. */
const MAX_SEGMENT = 2 ** 20 - 1

/** Which segments are looked at, and whether over routes. */
interface Look {
  readonly first: number
  readonly private: boolean
}

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const api = openApi(invocation)
  const look = { first: invocation.integer('from', 0, MAX_SEGMENT) ?? 0, private: invocation.flag('private') }
  const ref = await referenceArgument(invocation)
  const status = invocation.flag('wait')
    ? await waitUntilHealthy(api, ref, look, signal)
    : await objectStatus(api, ref, signal, look)
  output.document({ ...status })
  output.print(...objectLines(status, output))
}

/**
 * One look at up to 256 segments, from `first` on. The reference goes in the body: it holds the key, and a body is never
 * logged.
 */
export function objectStatus(
  api: ApiClient,
  ref: string,
  signal: AbortSignal,
  look: Look,
): Promise<ObjectStatusAnswer> {
  return api.json<ObjectStatusAnswer>(
    'POST',
    '/api/v1/object/stat',
    { ref, first: look.first, ...(look.private && { private: true }) },
    { signal },
  )
}

/**
 * Looks until every segment from `first` on was seen healthy; resolves with the first look. Until --timeout fires the
 * signal: then the last state seen is the reason that is told.
 */
async function waitUntilHealthy(
  api: ApiClient,
  ref: string,
  look: Look,
  signal: AbortSignal,
): Promise<ObjectStatusAnswer> {
  let last: ObjectStatusAnswer | undefined
  let shown: ObjectStatusAnswer | undefined
  let from = look.first
  try {
    for (;;) {
      last = await objectStatus(api, ref, signal, { ...look, first: from })
      if (last.health === 'healthy') {
        shown ??= last
        if (last.next === undefined) return shown
        from = last.next
      } else await wait(referencedClock, LOOK_EVERY_MS, signal)
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
    ...(status.segmentCount === 0
      ? [
          `size     ${formatBytes(status.size)}`,
          `kept     whole in its record${status.copies === undefined ? '' : `, on at least ${counted(status.copies, 'node')}`}: it has no shards`,
        ]
      : [
          `size     ${formatBytes(status.size)} in ${counted(status.segmentCount, 'segment')}`,
          `class    ${name}: any ${k} of ${n} shards restore a segment`,
        ]),
    `expires  ${formatTime(status.expiresAt)}`,
    `health   ${output.styled(colour, status.health)}${range(status)}`,
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

/** What the judgement rests on, where that is not the whole object. */
function range({ segments, segmentCount, next }: ObjectStatusAnswer): string {
  const [first, last] = [segments[0]?.index ?? 0, segments.at(-1)?.index ?? 0]
  if (segments.length === segmentCount) return ''
  const more = next === undefined ? '' : `; ${segmentCount - next} more: --from ${next}`
  return ` (segments ${first} to ${last} of ${segmentCount}${more})`
}

function stateWord(state: string, output: Output): string {
  return output.styled(state === 'stored' ? 'green' : state === 'unreachable' ? 'yellow' : 'red', state)
}
