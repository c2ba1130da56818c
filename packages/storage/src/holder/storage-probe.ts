import {
  type Clock,
  type Random,
  WeftError,
  equalBytes,
  isWeftError,
  randomInt,
  throwIfAborted,
  withTimeout,
} from '@weft/core'
import { type DidKey, SigningKey, sha256 } from '@weft/crypto'
import type { ConformanceProbe, Probe } from '@weft/overlay'
import type { LeftShard, LeftShards } from './left-shards.ts'
import { type CommitAuthorization, authorizeCommit, authorizePut, authorizeRelease } from './shard-authorization.ts'
import { ShardClient } from './shard-client.ts'
import type { ShardName } from './shard-name.ts'

export interface StorageProbeOptions {
  /** What this validator left with whom. */
  readonly left: LeftShards
  readonly clock: Clock
  readonly random: Random
}

/** Bytes of a shard that is put: small enough for any line and for a full holder, and of no length that tells it from others. */
const LEAST_LENGTH = 64 * 1024
const LENGTHS = 64 * 1024
/** ms for all of it: a disk that takes longer keeps nobody's shards. */
const PROBE_MS = 10_000
/** ms that a shard stays with a holder at least before another takes its place, and for which it is committed. */
const LEFT_MS = 12 * 3_600_000
const LIFETIME_MS = 31 * 24 * 3_600_000
/** ms before it expires in which it is asked for no more: the clock of a holder may be ahead, by 5 s at most. */
const SPARED_MS = 60_000
/** What a holder says of a shard that it does not have, or not as it was. */
const NOT_THERE = ['E_SHARD_NOT_FOUND', 'E_SHARD_CORRUPT', 'E_SHARD_LENGTH'] as const
/** Why a holder that does what it should may not commit a shard: it is full. */
const FULL = ['E_QUOTA', 'E_DISK_FULL'] as const

/**
 * What a node of role `storage` must do to be admitted: keep a shard, give it back, and forget it when told; and at a later
 * admission still have what this validator left with it (docs/specs/admission.md, Figures). Nothing is left with who is no
 * member yet: identities cost nothing, and each would have a line on this validator's disk.
 */
export function storageProbe(options: StorageProbeOptions): ConformanceProbe {
  return {
    role: 'storage',
    name: 'keeps a shard',
    run(probe, { id, renewal }, signal) {
      const tooSlow = (): WeftError => nonConforming(`it took longer than ${PROBE_MS / 1_000} s`)
      return withTimeout(options.clock, PROBE_MS, signal, tooSlow, async (inTime) => {
        await using client = new ShardClient(await probe.open('shard', inTime))
        await forgetsAShard(client, probe, options.random, inTime)
        const before = await stillKeeps(client, id, options, inTime)
        const isYoung = before !== undefined && options.clock.now() < before.leftAt + LEFT_MS
        if (!renewal || isYoung || !(await takeBack(client, id, before, options, inTime))) return
        await leave(client, probe, id, options, inTime)
      })
    },
  }
}

async function forgetsAShard(client: ShardClient, probe: Probe, random: Random, signal: AbortSignal): Promise<void> {
  const { object, name, bytes } = await put(client, probe, random, signal)
  const back = new Uint8Array(bytes.length)
  await client.get(name, back, signal)
  if (!equalBytes(bytes, back)) throw nonConforming('it gave back other bytes than it was given')
  await client.release(authorizeRelease(object), signal)
  if (await has(client, name, back, signal)) throw nonConforming('it still has a shard that its owner released')
}

/** Asks for what was left, if anything was. */
async function stillKeeps(
  client: ShardClient,
  holder: DidKey,
  { left, clock }: StorageProbeOptions,
  signal: AbortSignal,
): Promise<LeftShard | undefined> {
  const shard = left.get(holder, clock.now() + SPARED_MS)
  if (shard === undefined) return undefined
  const object = new SigningKey(shard.seed)
  const bytes = new Uint8Array(shard.length)
  const found = await has(client, nameOf(object), bytes, signal)
  if (found && equalBytes(sha256(bytes), shard.digest)) return shard
  // Asked for once: a node whose disk was replaced is judged by what it keeps from now on.
  left.delete(holder)
  throw nonConforming(`it lost or changed a shard that it took ${age(clock.now() - shard.leftAt)} ago`)
}

/** Makes room for another. False when this validator cannot forget it: it would ask for what it released itself. */
async function takeBack(
  client: ShardClient,
  holder: DidKey,
  shard: LeftShard | undefined,
  { left }: StorageProbeOptions,
  signal: AbortSignal,
): Promise<boolean> {
  if (shard === undefined) return true
  if (!left.delete(holder)) return false
  await client.release(authorizeRelease(new SigningKey(shard.seed)), signal)
  return true
}

/** A holder that is full may refuse to keep it; it was shown above that it takes one all the same. */
async function leave(
  client: ShardClient,
  probe: Probe,
  holder: DidKey,
  { left, clock, random }: StorageProbeOptions,
  signal: AbortSignal,
): Promise<void> {
  const { object, bytes } = await put(client, probe, random, signal)
  const leftAt = clock.now()
  const expiresAt = leftAt + LIFETIME_MS
  const shard: LeftShard = { seed: object.seed(), length: bytes.length, digest: sha256(bytes), leftAt, expiresAt }
  const isKept = (await commit(client, authorizeCommit(object, expiresAt), signal)) && left.set(holder, shard)
  // Nobody would ever ask for it.
  if (!isKept) await client.release(authorizeRelease(object), signal)
}

/** Whether the holder has room for it. */
async function commit(client: ShardClient, authorization: CommitAuthorization, signal: AbortSignal): Promise<boolean> {
  try {
    await client.commit(authorization, signal)
    return true
  } catch (error) {
    if (!FULL.some((code) => isWeftError(error, code))) throw error
    return false
  }
}

async function put(
  client: ShardClient,
  probe: Probe,
  random: Random,
  signal: AbortSignal,
): Promise<{ readonly object: SigningKey; readonly name: ShardName; readonly bytes: Uint8Array }> {
  const object = new SigningKey(random.bytes(32))
  client.authorize(authorizePut(object, probe.self))
  const name = nameOf(object)
  const bytes = random.bytes(LEAST_LENGTH + randomInt(random, LENGTHS))
  await client.put(name, bytes, signal)
  return { object, name, bytes }
}

function nameOf({ publicKey }: SigningKey): ShardName {
  return { object: publicKey, segment: 0, index: 0 }
}

/** Whether the holder gives back a shard; its bytes are in `into` then. */
async function has(client: ShardClient, name: ShardName, into: Uint8Array, signal: AbortSignal): Promise<boolean> {
  try {
    await client.get(name, into, signal)
    return true
  } catch (error) {
    throwIfAborted(signal)
    if (NOT_THERE.some((code) => isWeftError(error, code))) return false
    throw error
  }
}

function age(ms: number): string {
  const hours = Math.round(ms / 3_600_000)
  return hours === 0 ? 'less than an hour' : `${hours} h`
}

function nonConforming(why: string): WeftError {
  return new WeftError({
    code: 'E_STORAGE_NONCONFORMING',
    cause: `The node does not keep shards as it should: ${why}.`,
    fix: 'Check the disk of the node and that it runs an unaltered release.',
  })
}
