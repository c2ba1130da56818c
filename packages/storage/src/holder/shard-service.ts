import { type Clock, type Fault, WeftError, equalBytes, toHex, withTimeout } from '@weft/core'
import type { DidKey, SigningKey } from '@weft/crypto'
import { MAX_STRANGER_LIFETIME_MS } from '@weft/overlay'
import { MAX_SHARD_MESSAGE, type MessageInitShape, ShardResponseSchema, create, encodeMessage } from '@weft/wire'
import { shardRoot } from '../object/shard-root.ts'
import type { BlobPut, BlobStore } from '../blobs/blob-store.ts'
import type { ProvisionalShards } from './provisional-shards.ts'
import { signDeletion } from './deletion-statement.ts'
import {
  type CommitAuthorization,
  type ReleaseAuthorization,
  type RemoveAuthorization,
  verifyCommit,
  verifyRelease,
  verifyRemove,
} from './shard-authorization.ts'
import { type JudgeKeep, segmentTaken } from './keep-judge.ts'
import { type ShardName, describeShard } from './shard-name.ts'

/** Furthest that what a member commits may expire, ms from now: a year of lease and room for a clock that is off. */
const MAX_LIFETIME = 400 * 24 * 60 * 60 * 1000
/** Shards that are taken in the place of others at once: each is in memory as a whole until its root was checked. */
const KEEPS_AT_ONCE = 2
/** ms that the owner's records have to be read. */
const JUDGE_MS = 10_000
/** Shards in one ShardHeld; each takes at most 20 bytes, so the message stays within its limit. */
const MAX_HELD = Math.floor(MAX_SHARD_MESSAGE / 24)

export type ResponseBody = Exclude<MessageInitShape<typeof ShardResponseSchema>['body'], undefined>

export interface ShardServiceParts {
  /** Without it the holder keeps nothing in the place of others. */
  readonly judgeKeep: JudgeKeep | undefined
  readonly store: BlobStore
  readonly provisional: ProvisionalShards
  readonly clock: Clock
  readonly isMember: (peer: DidKey) => boolean
  /** Of this node: signs what it says it deleted. */
  readonly key: SigningKey
  /** Says why this holder does not take shards of an object from a peer; undefined when it does. */
  readonly refuses: (object: Uint8Array, from: DidKey) => Fault | undefined
}

/** What each request does to the store, whoever carries the bytes. */
export class ShardService {
  readonly #parts: ShardServiceParts
  /** Segments of which a shard is being taken in the place of another holder. */
  readonly #keeping = new Set<string>()

  constructor(parts: ShardServiceParts) {
    this.#parts = parts
  }

  /** Notes that a stream of `peer` puts shards of the object; call the result when the stream is over. */
  openObject(object: Uint8Array, peer: DidKey): () => void {
    return this.#parts.provisional.open(object, peer)
  }

  /** Begins a put. @throws WeftError E_QUOTA, E_TOO_MANY_PUTS, E_DISK_FULL, E_SHARD_EXISTS, and what `refuses` says */
  async put(name: ShardName, length: number, peer: DidKey): Promise<BlobPut> {
    const { store, provisional, refuses } = this.#parts
    const refusal = refuses(name.object, peer)
    if (refusal !== undefined) throw new WeftError(refusal)
    const place = provisional.reserve(name.object, peer, length)
    try {
      const put = await store.begin(name, length, peer)
      return {
        write: (chunk) => put.write(chunk),
        async finish() {
          try {
            await put.finish()
          } catch (error) {
            place.failed()
            throw error
          }
          place.stored()
        },
        async discard() {
          place.failed()
          await put.discard()
        },
      }
    } catch (error) {
      place.failed()
      throw error
    }
  }

  /**
   * Begins to take a shard in the place of another holder, or again. When its bytes are here and have the root that the
   * owner signed it is committed. @throws WeftError E_SHARD_PLACE, E_BUSY; as {@link put}
   */
  async keep(name: ShardName, length: number, peer: DidKey, signal: AbortSignal): Promise<BlobPut> {
    const { store, provisional, key, judgeKeep, clock, isMember } = this.#parts
    if (judgeKeep === undefined) throw new WeftError(KEEPS_NOTHING)
    const segment = `${toHex(name.object)}/${name.segment}`
    if (this.#keeping.has(segment)) throw segmentTaken()
    if (this.#keeping.size >= KEEPS_AT_ONCE) throw keepsEnough()
    this.#keeping.add(segment)
    // What a member brings counts as this node's own, since it may be gone from the map tomorrow; a stranger has its share.
    const account = isMember(peer) ? key.id : peer
    const over = (): void => void this.#keeping.delete(segment)
    try {
      const late = (): WeftError => new WeftError(RECORDS_LATE)
      const {
        root,
        expiresAt,
        length: right,
        hasPlace,
      } = await withTimeout(clock, JUDGE_MS, signal, late, (limited) => judgeKeep(name, peer, limited))
      if (length !== right) throw notTheShard(name)
      const others = store
        .list(name.object, name.segment, 1, MAX_HELD)
        .filter((one) => one.name.index !== name.index && hasPlace(one.name.index))
      if (others.length > 0) throw segmentTaken()
      const bytes = new Uint8Array(length)
      let at = 0
      const put = await this.put(name, length, account)
      return {
        async write(chunk) {
          bytes.set(chunk, at)
          at += chunk.length
          await put.write(chunk)
        },
        async finish() {
          try {
            if (!equalBytes(shardRoot(bytes), root)) {
              await put.discard()
              throw notTheShard(name)
            }
            await put.finish()
            await store.commit(name.object, account, expiresAt)
            provisional.settled(name.object, account)
          } finally {
            over()
          }
        },
        async discard() {
          over()
          await put.discard()
        },
      }
    } catch (error) {
      over()
      throw error
    }
  }

  /** @throws WeftError E_SHARD_NOT_FOUND, E_SHARD_CORRUPT */
  get(name: ShardName): ReturnType<BlobStore['read']> {
    return this.#parts.store.read(name)
  }

  /** @throws WeftError E_STAT_TOO_LARGE */
  stat(object: Uint8Array, first: number, count: number): ResponseBody {
    const entries = this.#parts.store.list(object, first, count, MAX_HELD + 1)
    if (entries.length > MAX_HELD) {
      throw new WeftError({
        code: 'E_STAT_TOO_LARGE',
        cause: `This holder has more than ${MAX_HELD} shards of these ${count} segments.`,
        fix: 'Ask about fewer segments at a time.',
      })
    }
    const shards = entries.map(({ name, length, corrupt }) => ({
      segment: name.segment,
      index: name.index,
      length: BigInt(length),
      corrupt,
    }))
    return { case: 'held', value: { shards } }
  }

  /** @throws WeftError E_SIGNATURE_INVALID, E_EXPIRED, E_LIFETIME, E_SHARD_NOT_FOUND, E_QUOTA, E_DISK_FULL */
  async commit(authorization: CommitAuthorization, peer: DidKey): Promise<void> {
    const { store, provisional, clock } = this.#parts
    const { object, expiresAt } = authorization
    verifyCommit(authorization)
    const left = expiresAt - clock.now()
    if (left <= 0) {
      throw new WeftError({
        code: 'E_EXPIRED',
        cause: `The commit expired ${-left} ms ago.`,
        fix: 'Give the object a later expiry; see that the clocks of both machines are right.',
      })
    }
    const most = this.#longest(peer)
    if (left > most) {
      throw new WeftError({
        code: 'E_LIFETIME',
        cause: `The commit expires in ${left} ms; at most ${most} are accepted from this node.`,
        fix: 'Give the object an earlier expiry, or put it from a node that is in the map; see that the clocks of both machines are right.',
      })
    }
    await store.commit(object, peer, expiresAt)
    provisional.settled(object, peer)
  }

  /** @throws WeftError E_SIGNATURE_INVALID, E_DATABASE */
  async release(authorization: ReleaseAuthorization): Promise<void> {
    verifyRelease(authorization)
    await this.#parts.store.release(authorization.object)
    this.#parts.provisional.released(authorization.object)
  }

  /**
   * Deletes all that is here of an object, and refuses it from now on. The answer is this node's word for it; asked again
   * it says the same. @throws WeftError E_SIGNATURE_INVALID, E_DATABASE, E_DISK_FULL
   */
  async remove(authorization: RemoveAuthorization, peer: DidKey): Promise<ResponseBody> {
    const { store, provisional, clock, key } = this.#parts
    const { object, expiresAt } = authorization
    verifyRemove(authorization)
    // No removal is refused for its expiry: what was committed here decides, and beyond that what could have been.
    const until = Math.min(expiresAt, clock.now() + this.#longest(peer))
    const deletion = await store.remove(object, peer, until)
    provisional.released(object)
    const { shards, bytes, at, until: refusedUntil, signature } = signDeletion(key, object, deletion)
    return {
      case: 'removed',
      value: {
        shards: BigInt(shards),
        bytes: BigInt(bytes),
        at: BigInt(at),
        until: BigInt(refusedUntil),
        signature,
      },
    }
  }

  /** ms that a commit of the peer may last. */
  #longest(peer: DidKey): number {
    return this.#parts.isMember(peer) ? MAX_LIFETIME : MAX_STRANGER_LIFETIME_MS
  }
}

const KEEPS_NOTHING: Fault = {
  code: 'E_SHARD_PLACE',
  cause: 'This holder keeps nothing in the place of others.',
  fix: 'Bring it to another one.',
}

const RECORDS_LATE: Fault = {
  code: 'E_CALL_TIMEOUT',
  cause: "The records of the shard's object could not be read in time.",
  fix: 'Try again later.',
}

function keepsEnough(): WeftError {
  return new WeftError({
    code: 'E_BUSY',
    cause: `This holder takes ${KEEPS_AT_ONCE} shards in the place of others already.`,
    fix: 'Try again when they are over, or bring it to another one.',
    retryable: true,
  })
}

function notTheShard(name: ShardName): WeftError {
  return new WeftError({
    code: 'E_SHARD_CORRUPT',
    cause: `What was brought as ${describeShard(name)} does not have the length and the root that its owner signed.`,
    fix: 'Make the shard again from others, as docs/specs/objects.md says.',
  })
}

/** One response as bytes. */
export function encodeResponse(body: ResponseBody): Uint8Array {
  return encodeMessage(ShardResponseSchema, create(ShardResponseSchema, { body }))
}
