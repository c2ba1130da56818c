import { WeftError, isWeftError, throwIfAborted, withTimeout } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { HeldShard } from '../holder/shard-client.ts'
import { matching } from '../placement/happiness.ts'
import { standIns } from '../placement/stand-ins.ts'
import { FetchPace, fetchShards } from './fetch-shards.ts'
import { HolderLinks } from './holder-links.ts'
import { inWindow } from './in-window.ts'
import { type ObjectContext, isReachable, storageMembers } from './object-context.ts'
import type { StandIn } from './stand-in-table.ts'
import type { ObjectHead, ObjectSegment, ShardRecord } from './object-records.ts'

/** Holders asked at once what they have of a segment. */
const HOLDERS_ASKED = 64
/** ms that a holder has to take a shard in. */
const KEEP_MS = 60_000

export interface RestoreRequest {
  /** 32 bytes: the object's public key. */
  readonly object: Uint8Array
  readonly head: ObjectHead
  readonly sealKey: Uint8Array
  /** Whether a holder that does not answer, or left, is given up; what others have is put in its place. */
  readonly isGone: (node: DidKey) => boolean
  /** Called before a node is brought a shard in the place of its holder: from then on it may have it. */
  readonly onStandIn: (standIn: StandIn) => void
  readonly signal: AbortSignal
}

/** What was found of a segment, and done. */
export interface RestoredSegment {
  readonly segment: number
  /** Shards that were there before. */
  readonly alive: number
  /** Shards that were made again and are kept now. */
  readonly restored: number
  /** Bytes of those. */
  readonly bytes: number
  /** Shards whose holder is given up and that nobody keeps now. */
  readonly lost: number
}

/**
 * Makes the shards of a segment again whose holders are given up, and brings each to the first member that may keep it in
 * their place and does (docs/specs/objects.md, Repair). Two who do this at once find or refuse what the other did.
 * @throws WeftError E_SHARDS_MISSING, E_ABORTED, and those of the records
 */
export async function restoreSegment(
  context: ObjectContext,
  request: RestoreRequest,
  index: number,
): Promise<RestoredSegment> {
  const { object, head, signal } = request
  const segment = await context.records.readSegment(object, head, index, signal)
  await using links = new HolderLinks({
    streams: context.streams,
    openMs: context.openMs,
    clock: context.clock,
    signal,
  })
  const places = placesOf(context, object, segment)
  const gone = segment.shards.filter(({ node }) => request.isGone(node))
  const asked = [
    ...new Set([...segment.shards.map(({ node }) => node), ...gone.flatMap(({ index: at }) => places(at))]),
  ]
  const held = await askAll(context, links, object, index, asked, signal)
  const has = (node: DidKey, shard: number): boolean => held.get(node)?.some((one) => isRight(one, shard)) === true
  const keepers = (shard: ShardRecord): DidKey[] => [shard.node, ...places(shard.index)]
  const missing = segment.shards.filter(
    (shard) =>
      !keepers(shard).some((node) => has(node, shard.index)) && (request.isGone(shard.node) || held.has(shard.node)),
  )
  const alive = segment.shards.length - missing.length
  if (missing.length === 0) return { segment: index, alive, restored: 0, bytes: 0, lost: 0 }
  // What was taken for a holder that is back has no place there any more, and hinders nothing.
  const hasPlace = (node: DidKey, shard: number): boolean => {
    const holder = segment.shards[shard]?.node
    return holder === node || (holder !== undefined && !context.overlay.membership.isMember(holder))
  }
  const full = new Set(
    [...held].filter(([node, shards]) => shards.some((one) => hasPlace(node, one.index))).map(([node]) => node),
  )
  const restored = await restoreAll({ context, links, request, segment, missing, keepers, full })
  return { segment: index, alive, restored, bytes: restored * segment.shardLength, lost: missing.length - restored }
}

/** The members that may keep a shard in the place of its holder, by its index. */
function placesOf(context: ObjectContext, object: Uint8Array, segment: ObjectSegment): (index: number) => DidKey[] {
  const named = new Set(segment.shards.map(({ node }) => node))
  const members = storageMembers(context)
  return (index) => standIns({ object, segment: segment.index, index }, named, members)
}

interface Restoring {
  readonly context: ObjectContext
  readonly links: HolderLinks
  readonly request: RestoreRequest
  readonly segment: ObjectSegment
  readonly missing: readonly ShardRecord[]
  readonly keepers: (shard: ShardRecord) => DidKey[]
  /** Who has a shard of the segment, and takes no other. */
  readonly full: Set<DidKey>
}

/** @returns how many shards are kept again. */
async function restoreAll(restoring: Restoring): Promise<number> {
  const { context, links, request, segment, missing } = restoring
  const { object, head, sealKey, signal } = request
  const { k, n } = head.class
  const lease = context.memory.take((k + 2) * segment.shardLength)
  let shards: Awaited<ReturnType<typeof fetchShards>> = []
  let restored = 0
  try {
    const pace = new FetchPace()
    const onArrival = (): void => {}
    // Whoever said that it has not, or has damaged, is asked to take, not to give.
    const others = { ...segment, shards: segment.shards.filter((shard) => !missing.includes(shard)) }
    const found = await fetchShards({ context, links, pace, object, sealKey, k, segment: others, signal, onArrival })
    shards = Array.from({ length: n }, (_, index) => found[index])
    const into = context.shards.take(segment.shardLength)
    try {
      for (const [at, shard] of missing.entries()) {
        const { index, nodeKey, root } = shard
        const place = { sealKey, object, segment: segment.index, index, node: nodeKey, root }
        const isRight = await context.coding.restore({ kind: 'restore', k, n, ...place, shards, into })
        // Verified shards make no other: the owner signed roots that do not belong together.
        if (!isRight) throw notOneSegment(segment.index)
        if (await keepOne(restoring, missing.slice(at), into)) restored++
      }
    } finally {
      context.shards.give(into)
    }
    return restored
  } finally {
    for (const shard of shards) if (shard !== undefined) context.shards.give(shard)
    lease.release()
  }
}

/** Brings the first of the shards that are missing to one who keeps it, and leaves the others as many places as can be. */
async function keepOne(restoring: Restoring, missing: readonly ShardRecord[], bytes: Uint8Array): Promise<boolean> {
  const { context, links, request, segment, keepers, full } = restoring
  const { object, signal } = request
  const [shard] = missing
  if (shard === undefined) return false
  const name = { object, segment: segment.index, index: shard.index }
  const refused = new Set<DidKey>()
  const { membership } = context.overlay
  const mayKeep = (node: DidKey, { node: holder }: ShardRecord): boolean =>
    (node === holder ? !request.isGone(node) : !full.has(node) && !membership.isMember(holder)) &&
    isReachable(context, { id: node }) &&
    !links.failed(node)
  for (;;) {
    const candidates = missing.map((one) => keepers(one).filter((node) => mayKeep(node, one)))
    const own = candidates[0]?.filter((node) => !refused.has(node)) ?? []
    // Rather none for another one than none for this, whose bytes are made.
    const node = matching([own, ...candidates.slice(1)])[0] ?? own[0]
    if (node === undefined) return false
    try {
      const client = await links.client(node)
      if (node !== shard.node) request.onStandIn({ segment: segment.index, index: shard.index, node })
      const late = (): WeftError => tooSlow()
      await withTimeout(context.clock, KEEP_MS, signal, late, (limited) => client.keep(name, bytes, limited))
      full.add(node)
      return true
    } catch (error) {
      throwIfAborted(signal)
      // Another who repairs was first.
      if (isWeftError(error, 'E_SHARD_EXISTS')) return true
      const code = isWeftError(error) ? error.code : 'E_INTERNAL'
      context.logger.info('storage: a holder did not take a shard in the place of another', { code })
      refused.add(node)
    }
  }
}

/** What each has of a segment; who does not answer is left out. */
async function askAll(
  context: ObjectContext,
  links: HolderLinks,
  object: Uint8Array,
  segment: number,
  nodes: readonly DidKey[],
  signal: AbortSignal,
): Promise<ReadonlyMap<DidKey, readonly HeldShard[]>> {
  const answers = new Map<DidKey, readonly HeldShard[]>()
  await inWindow(nodes, HOLDERS_ASKED, signal, async (node, limit) => {
    try {
      const ask = async (limited: AbortSignal): Promise<readonly HeldShard[]> =>
        (await links.client(node)).stat(object, segment, 1, limited)
      answers.set(node, await withTimeout(context.clock, context.openMs, limit, tooSlow, ask))
    } catch {
      throwIfAborted(limit)
      links.blame(node)
    }
  })
  return answers
}

function isRight(shard: HeldShard, index: number): boolean {
  return shard.index === index && !shard.corrupt
}

function tooSlow(): WeftError {
  return new WeftError({
    code: 'E_CALL_TIMEOUT',
    cause: 'A holder did not answer in time while an object was repaired.',
    fix: 'Nothing to do: another one is asked.',
    retryable: true,
  })
}

function notOneSegment(segment: number): WeftError {
  return new WeftError({
    code: 'E_OBJECT_RECORD',
    cause: `The roots that the owner signed for segment ${segment} are not those of the shards of one segment.`,
    fix: 'Its owner has to put the object again.',
  })
}
