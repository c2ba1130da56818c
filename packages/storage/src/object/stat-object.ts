import { type Fault, Semaphore, WeftError, throwIfAborted, withTimeout } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { Member } from '@weft/overlay'
import type { HeldShard } from '../holder/shard-client.ts'
import { relaxedRules } from '../placement/diversity.ts'
import type { ObjectStatus, SegmentStatus, ShardState, StorageClass } from '../storage.ts'
import { HolderLinks } from './holder-links.ts'
import type { ObjectContext } from './object-context.ts'
import { type ObjectRef, formatObjectRef, objectId } from './object-ref.ts'
import type { ObjectSegment } from './object-records.ts'

/** Segment records read at once. */
const RECORD_READS = 8
/** Shards of this many segments are asked for at once (the limit of ShardStat). */
const STAT_SEGMENTS = 4096
/** A holder that does not answer within this counts as unreachable, ms. */
const STAT_TIMEOUT_MS = 5_000

/** What each holder has of an object, as the holders say it now. The reference needs no key. @throws as `getObject` */
export async function statObject(context: ObjectContext, ref: ObjectRef, signal: AbortSignal): Promise<ObjectStatus> {
  const { object } = ref
  const head = await context.records.readHead(object, signal)
  const slots = new Semaphore(RECORD_READS)
  const segments = await Promise.all(
    Array.from({ length: head.segments }, (_, index) =>
      slots.use(() => context.records.readSegment(object, head, index, signal), signal),
    ),
  )
  const held = await askHolders(context, object, segments, signal)
  const statuses = segments.map((segment) => segmentStatus(segment, held))
  const quorum = head.quorum && segments.every((segment) => segment.quorum)
  const { health, fault } = judge(statuses, head.class, quorum)
  return {
    ref: formatObjectRef(ref),
    object: objectId(object),
    size: head.size,
    class: head.class,
    segments: statuses,
    health,
    fault,
    relaxed: relaxedOf(context, segments, head.class),
    expiresAt: head.expiresAt,
  }
}

/** The shards that each node says it has, by "segment/index"; undefined for a node that does not answer. */
type Held = ReadonlyMap<DidKey, ReadonlyMap<string, HeldShard> | undefined>

async function askHolders(
  context: ObjectContext,
  object: Uint8Array,
  segments: readonly ObjectSegment[],
  signal: AbortSignal,
): Promise<Held> {
  await using links = new HolderLinks({ streams: context.streams, clock: context.clock, signal })
  const nodes = new Set(segments.flatMap((segment) => segment.shards.map((shard) => shard.node)))
  const ask = async (node: DidKey): Promise<[DidKey, ReadonlyMap<string, HeldShard> | undefined]> => {
    try {
      const shards = await withTimeout(context.clock, STAT_TIMEOUT_MS, signal, silent, async (limited) => {
        const client = await links.client(node)
        const answers: HeldShard[] = []
        for (let first = 0; first < segments.length; first += STAT_SEGMENTS) {
          const count = Math.min(STAT_SEGMENTS, segments.length - first)
          answers.push(...(await client.stat(object, first, count, limited)))
        }
        return answers
      })
      return [node, new Map(shards.map((shard) => [`${shard.segment}/${shard.index}`, shard]))]
    } catch {
      throwIfAborted(signal)
      return [node, undefined]
    }
  }
  return new Map(await Promise.all([...nodes].map(ask)))
}

function segmentStatus({ index: segment, shardLength, shards }: ObjectSegment, held: Held): SegmentStatus {
  const stateOf = (index: number, node: DidKey): ShardState => {
    const answers = held.get(node)
    if (answers === undefined) return 'unreachable'
    const shard = answers.get(`${segment}/${index}`)
    if (shard === undefined) return 'missing'
    return shard.corrupt || shard.length !== shardLength ? 'corrupt' : 'stored'
  }
  const statuses = shards.map(({ index, node }) => ({ index, node, state: stateOf(index, node) }))
  return { index: segment, alive: statuses.filter((shard) => shard.state === 'stored').length, shards: statuses }
}

function judge(
  segments: readonly SegmentStatus[],
  { k, n }: StorageClass,
  quorum: boolean,
): Pick<ObjectStatus, 'health' | 'fault'> {
  const worst = segments.reduce((least, segment) => Math.min(least, segment.alive), n)
  const weakest = segments.find((segment) => segment.alive === worst)?.index ?? 0
  if (worst < k) {
    const fault: Fault = {
      code: 'E_OBJECT_LOST',
      cause: `Segment ${weakest} has ${worst} shards left; ${k} are needed to read it.`,
      fix: 'Bring the unreachable holders back; their shards count again as soon as they answer.',
    }
    return { health: 'lost', fault }
  }
  if (worst < n) {
    const fault: Fault = {
      code: 'E_OBJECT_DEGRADED',
      cause: `Segment ${weakest} has ${worst} of ${n} shards; it can be read with ${k}.`,
      fix: 'Bring the unreachable holders back, or put the object again.',
    }
    return { health: 'degraded', fault }
  }
  return { health: 'healthy', fault: quorum ? undefined : NO_QUORUM }
}

const NO_QUORUM: Fault = {
  code: 'E_RECORD_NO_QUORUM',
  cause: 'Too few record holders answered to be sure that this is the newest word of the owner.',
  fix: 'Try again when more members are reachable (`weft members`).',
}

/** Judged by the places that the map shows now; holders that left the map cannot be judged. */
function relaxedOf({ overlay }: ObjectContext, segments: readonly ObjectSegment[], stored: StorageClass): string[] {
  const first = segments[0]?.shards ?? []
  const members = first.map((shard) => overlay.membership.member(shard.node))
  return relaxedRules(
    members.filter((member): member is Member => member !== undefined),
    stored,
  )
}

function silent(): WeftError {
  return new WeftError({
    code: 'E_CALL_TIMEOUT',
    cause: `A holder did not answer within ${STAT_TIMEOUT_MS} ms.`,
    fix: 'Try again later.',
    retryable: true,
  })
}
