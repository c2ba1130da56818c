import { type Fault, WeftError, throwIfAborted, withTimeout } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { Member } from '@weft/overlay'
import type { HeldShard } from '../holder/shard-client.ts'
import { relaxedRules } from '../placement/diversity.ts'
import { standIns } from '../placement/stand-ins.ts'
import type { ObjectStatus, SegmentStatus, ShardState, StorageClass } from '../storage.ts'
import { HolderLinks } from './holder-links.ts'
import { inWindow } from './in-window.ts'
import { type ObjectContext, storageMembers } from './object-context.ts'
import { type ObjectRef, formatObjectRef, objectId } from './object-ref.ts'
import type { ObjectHead, ObjectSegment } from './object-records.ts'

/** Segments looked at in one go: 4 GiB of an object. Whoever made the reference chose how many it names. */
const MAX_STAT_SEGMENTS = 256
/** Distinct holders asked in one go; an honest object has n, a mended one some more. */
const MAX_STAT_HOLDERS = 256
/** Segment records read at once. */
const RECORD_READS = 8
/** Holders asked at once. */
const HOLDERS_ASKED = 64

export interface StatRequest {
  /** The first segment looked at. */
  readonly first: number
  readonly signal: AbortSignal
}

/**
 * What each holder has of an object, as the holders say it now: of at most {@link MAX_STAT_SEGMENTS} segments, by which
 * alone it is judged; `next` says where to go on. The reference needs no key.
 * @throws WeftError E_STAT_RANGE; as `getObject`
 */
export async function statObject(
  context: ObjectContext,
  ref: ObjectRef,
  { first, signal }: StatRequest,
): Promise<ObjectStatus> {
  const { object } = ref
  const head = await context.records.readHead(object, signal)
  if (first > Math.max(0, head.segments - 1)) throw outside(first, head)
  const indices = Array.from({ length: Math.min(MAX_STAT_SEGMENTS, head.segments - first) }, (_, at) => first + at)
  const read = await inWindow(indices, RECORD_READS, signal, (index, limited) =>
    context.records.readSegment(object, head, index, limited),
  )
  const segments = withFewHolders(read)
  const named = segments.flatMap((segment) => segment.shards.map((shard) => shard.node))
  const held = await askHolders(context, object, segments, [...new Set(named)], signal)
  const found = segments.map((segment) => segmentStatus(segment, held))
  const statuses = await withStandIns(context, object, segments, found, held, signal)
  const quorum = head.quorum && segments.every((segment) => segment.quorum)
  const { health, fault } = judge(statuses, head.class, quorum)
  const end = first + segments.length
  return {
    ref: formatObjectRef(ref),
    object: objectId(object),
    size: head.size,
    class: head.class,
    segmentCount: head.segments,
    segments: statuses,
    copies: head.inline === undefined ? undefined : head.copies,
    next: end < head.segments ? end : undefined,
    health,
    fault,
    relaxed: relaxedOf(context, segments, head.class),
    expiresAt: head.expiresAt,
  }
}

/** The leading segments that name no more than {@link MAX_STAT_HOLDERS} nodes together; one at least. */
function withFewHolders(segments: readonly ObjectSegment[]): readonly ObjectSegment[] {
  const nodes = new Set<DidKey>()
  const end = segments.findIndex(({ shards }) => {
    for (const { node } of shards) nodes.add(node)
    return nodes.size > MAX_STAT_HOLDERS
  })
  return end === -1 ? segments : segments.slice(0, end)
}

/** The shards that each node says it has, by "segment/index"; undefined for a node that does not answer. */
type Held = ReadonlyMap<DidKey, ReadonlyMap<string, HeldShard> | undefined>

async function askHolders(
  context: ObjectContext,
  object: Uint8Array,
  segments: readonly ObjectSegment[],
  nodes: readonly DidKey[],
  signal: AbortSignal,
): Promise<Held> {
  const first = segments[0]?.index
  if (first === undefined) return new Map()
  await using links = new HolderLinks({
    streams: context.streams,
    openMs: context.openMs,
    clock: context.clock,
    signal,
  })
  const answers = await inWindow(nodes, HOLDERS_ASKED, signal, async (node, limit) => {
    try {
      const shards = await withTimeout(
        context.clock,
        context.openMs,
        limit,
        () => silent(context.openMs),
        async (limited) => {
          const client = await links.client(node)
          return client.stat(object, first, segments.length, limited)
        },
      )
      return new Map(shards.map((shard) => [`${shard.segment}/${shard.index}`, shard]))
    } catch {
      throwIfAborted(limit)
      return undefined
    }
  })
  return new Map(nodes.map((node, at) => [node, answers[at]]))
}

/** Looks for what is not where its owner put it at those who may keep it in its place (docs/specs/objects.md, Repair). */
async function withStandIns(
  context: ObjectContext,
  object: Uint8Array,
  segments: readonly ObjectSegment[],
  found: readonly SegmentStatus[],
  held: Held,
  signal: AbortSignal,
): Promise<readonly SegmentStatus[]> {
  const members = storageMembers(context)
  const places = found.flatMap(({ index: segment, shards }, at) => {
    const named = new Set(segments[at]?.shards.map(({ node }) => node))
    return shards
      .filter(({ state }) => state !== 'stored')
      .map(({ index }) => ({ key: `${segment}/${index}`, at: standIns({ object, segment, index }, named, members) }))
  })
  if (places.length === 0) return found
  const answered = new Map(held)
  const unknown = [...new Set(places.flatMap(({ at }) => at))].filter((node) => !answered.has(node))
  const nodes = unknown.slice(0, MAX_STAT_HOLDERS - held.size)
  for (const [node, shards] of await askHolders(context, object, segments, nodes, signal)) answered.set(node, shards)
  const standIn = new Map(places.map(({ key, at }) => [key, at.find((node) => keeps(answered.get(node)?.get(key)))]))
  return found.map((status) => {
    const shards = status.shards.map((shard) => {
      const node = standIn.get(`${status.index}/${shard.index}`)
      return node === undefined ? shard : { index: shard.index, node, state: 'stored' as const }
    })
    return { ...status, alive: shards.filter(({ state }) => state === 'stored').length, shards }
  })
}

/** The length was looked at when it was taken in. */
function keeps(shard: HeldShard | undefined): boolean {
  return shard !== undefined && !shard.corrupt
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
      fix: 'Bring the unreachable holders back. The node that put it repairs it once half of what may be lost is gone for hours; else put it again.',
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

function outside(first: number, { segments }: ObjectHead): WeftError {
  return new WeftError({
    code: 'E_STAT_RANGE',
    cause: `The object has ${segments} segments, counted from 0; there is no segment ${first}.`,
    fix: 'Begin with a segment that it has.',
  })
}

function silent(ms: number): WeftError {
  return new WeftError({
    code: 'E_CALL_TIMEOUT',
    cause: `A holder did not answer within ${ms} ms.`,
    fix: 'Try again later.',
    retryable: true,
  })
}
