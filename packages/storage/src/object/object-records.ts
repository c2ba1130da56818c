import { type Clock, WeftError, equalBytes, isWeftError, utf8 } from '@weft/core'
import { type DidKey, type SigningKey, toDidKey } from '@weft/crypto'
import type { GetResult, RecordStore } from '@weft/overlay'
import {
  MAX_RECORD_VALUE,
  type ObjectHead as ObjectHeadMessage,
  ObjectHeadSchema,
  ObjectSegmentSchema,
  create,
  decodeMessage,
  encodeMessage,
} from '@weft/wire'
import type { StorageClass } from '../storage.ts'
import { objectId } from './object-ref.ts'
import {
  MAX_INLINE,
  MAX_SEGMENTS,
  SEGMENT_SIZE,
  plaintextLength,
  sealedLength,
  segmentCount,
  segmentLength,
  shardLengthOf,
} from './object-layout.ts'
import { areSealKeys } from './seal-keys.ts'
import { storageClass } from './storage-class.ts'

/** What an object is; salt `head`. */
export interface ObjectHead {
  readonly class: StorageClass
  /** Bytes of the encrypted object. */
  readonly sealed: number
  /** Bytes of plaintext. */
  readonly size: number
  readonly segments: number
  /** The encrypted object itself when it is small; then there are no segments. */
  readonly inline: Uint8Array | undefined
  /** The seal key wrapped for some validators (`openSealKey`); empty where there are no shards. */
  readonly sealKeys: Uint8Array
  /** ms since the epoch. */
  readonly expiresAt: number
  /** Nodes that this record was found at; more may have it. */
  readonly copies: number
  /** False when too few record holders answered to be sure that this is the newest. */
  readonly quorum: boolean
}

export interface ShardRecord {
  readonly index: number
  readonly node: DidKey
  /** The holder's public key. */
  readonly nodeKey: Uint8Array
  /** Merkle root of the sealed shard: of the very bytes that this holder keeps. */
  readonly root: Uint8Array
}

/** Where one segment lies; salt `segment:<index>`. */
export interface ObjectSegment {
  readonly index: number
  /** Bytes of the encrypted object in this segment. */
  readonly length: number
  readonly shardLength: number
  /** n, by index. */
  readonly shards: readonly ShardRecord[]
  readonly quorum: boolean
}

/** Version 1 had the roots of unsealed shards; no network but devnets had it. */
const VERSION = 2
/**
 * Sequence of an object's records; the only later one withdraws it: an empty value, or the head of a removed object. A
 * renewal keeps the sequence, so that no order of the two brings back what was withdrawn.
 */
const WRITTEN = 1
const WITHDRAWN = 2
/** How long the withdrawal of a record is kept, ms: longer than any write of it can be under way. */
const WITHDRAWN_FOR = 10 * 60_000
/** The last time that a Date can show, ms since the epoch. */
const MAX_TIME = 8_640_000_000_000_000n
const HEAD_SALT = utf8('head')
const segmentSalt = (index: number): Uint8Array => utf8(`segment:${index}`)

export interface NewHead {
  readonly class: StorageClass
  readonly sealed: number
  readonly inline?: Uint8Array
  readonly sealKeys?: Uint8Array
}

/** The records of objects: written by their owner, read within limits by everyone (docs/specs/objects.md, Records). */
export class ObjectRecords {
  readonly #records: RecordStore
  readonly #clock: Clock

  constructor(records: RecordStore, clock: Clock) {
    this.#records = records
    this.#clock = clock
  }

  /** @throws WeftError as RecordStore.putMutable */
  async writeHead(owner: SigningKey, head: NewHead, expiresAt: number, signal?: AbortSignal): Promise<void> {
    const { name, k, n } = head.class
    const value = encodeMessage(
      ObjectHeadSchema,
      create(ObjectHeadSchema, {
        version: VERSION,
        sealedLength: BigInt(head.sealed),
        className: name,
        k,
        n,
        segmentSize: SEGMENT_SIZE,
        segments: head.inline === undefined ? segmentCount(head.sealed) : 0,
        ...(head.inline !== undefined && { inline: head.inline }),
        ...(head.sealKeys !== undefined && { sealKeys: head.sealKeys }),
      }),
    )
    await this.#records.putMutable(
      { owner, salt: HEAD_SALT, sequence: WRITTEN, expiresAt, value },
      { ...(signal && { signal }) },
    )
  }

  /** @throws WeftError as RecordStore.putMutable */
  async writeSegment(
    owner: SigningKey,
    segment: Omit<ObjectSegment, 'quorum'>,
    expiresAt: number,
    signal?: AbortSignal,
  ): Promise<void> {
    const value = encodeMessage(
      ObjectSegmentSchema,
      create(ObjectSegmentSchema, {
        version: VERSION,
        index: segment.index,
        length: segment.length,
        shardLength: segment.shardLength,
        roots: segment.shards.map((shard) => shard.root),
        holders: segment.shards.map((shard) => shard.nodeKey),
      }),
    )
    const record = { owner, salt: segmentSalt(segment.index), sequence: WRITTEN, expiresAt, value }
    await this.#records.putMutable(record, { ...(signal && { signal }) })
  }

  /**
   * Supersedes a record by an empty one. @param segment undefined for the head.
   * @param until ms since the epoch that it lasts at least; of a put that failed not longer than its writes may take.
   */
  async withdraw(owner: SigningKey, segment: number | undefined, signal?: AbortSignal, until = 0): Promise<void> {
    const salt = segment === undefined ? HEAD_SALT : segmentSalt(segment)
    await this.#supersede(owner, salt, new Uint8Array(0), until, signal)
  }

  /** Supersedes the head by one that says when the owner removed the object. @param until as of {@link withdraw} */
  async writeRemoved(owner: SigningKey, removedAt: number, until: number, signal?: AbortSignal): Promise<void> {
    const head = create(ObjectHeadSchema, { version: VERSION, removedAt: BigInt(removedAt) })
    await this.#supersede(owner, HEAD_SALT, encodeMessage(ObjectHeadSchema, head), until, signal)
  }

  /** @throws WeftError E_OBJECT_NOT_FOUND, E_OBJECT_REMOVED, E_OBJECT_RECORD (not as the specification says), E_RECORD_UNAVAILABLE */
  async readHead(object: Uint8Array, signal?: AbortSignal): Promise<ObjectHead> {
    return headOf(object, await this.#read(object, HEAD_SALT, signal))
  }

  /** @throws as {@link readHead} */
  async readSegment(object: Uint8Array, head: ObjectHead, index: number, signal?: AbortSignal): Promise<ObjectSegment> {
    return segmentOf(object, head, index, await this.#read(object, segmentSalt(index), signal))
  }

  /**
   * Writes the head again as it is, with a later end (the same sequence and value: docs/specs/records.md). One that was
   * superseded meanwhile is not brought back. @throws as {@link readHead} and RecordStore.putMutable
   */
  async renewHead(owner: SigningKey, expiresAt: number, signal?: AbortSignal): Promise<void> {
    const found = await this.#read(owner.publicKey, HEAD_SALT, signal)
    headOf(owner.publicKey, found)
    await this.#renew(owner, HEAD_SALT, found, expiresAt, signal)
  }

  /** The same of a segment, which is the result. @throws as {@link renewHead} */
  async renewSegment(
    owner: SigningKey,
    head: ObjectHead,
    index: number,
    expiresAt: number,
    signal?: AbortSignal,
  ): Promise<ObjectSegment> {
    const found = await this.#read(owner.publicKey, segmentSalt(index), signal)
    const segment = segmentOf(owner.publicKey, head, index, found)
    await this.#renew(owner, segmentSalt(index), found, expiresAt, signal)
    return segment
  }

  async #renew(
    owner: SigningKey,
    salt: Uint8Array,
    { value, sequence, expiresAt: before }: GetResult,
    expiresAt: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const record = { owner, salt, sequence, expiresAt: Math.max(before, expiresAt), value }
    await this.#records.putMutable(record, { ...(signal && { signal }) })
  }

  async #supersede(
    owner: SigningKey,
    salt: Uint8Array,
    value: Uint8Array,
    until: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const expiresAt = Math.max(until, this.#clock.now() + WITHDRAWN_FOR)
    const record = { owner, salt, sequence: WITHDRAWN, expiresAt, value }
    await this.#records.putMutable(record, { ...(signal && { signal }) })
  }

  async #read(object: Uint8Array, salt: Uint8Array, signal: AbortSignal | undefined): Promise<GetResult> {
    let found: GetResult
    try {
      found = await this.#records.getMutable(object, salt, { ...(signal && { signal }) })
    } catch (error) {
      throw isWeftError(error, 'E_RECORD_NOT_FOUND') ? notFound(object, 'there is no record of it') : error
    }
    if (found.value.length === 0) throw notFound(object, 'its owner withdrew it')
    return found
  }
}

/** @throws WeftError E_OBJECT_REMOVED, E_OBJECT_RECORD */
function headOf(object: Uint8Array, found: GetResult): ObjectHead {
  const head = decodeMessage(ObjectHeadSchema, found.value, MAX_RECORD_VALUE)
  const check = checker(object, 'head')
  check(head.version === VERSION, `its version is ${head.version}, this node knows ${VERSION}`)
  if (head.removedAt > 0n) throw removedOf(object, head)
  const sealed = Number(head.sealedLength)
  const size = plaintextLength(sealed)
  const stored = storageClass(head.className)
  check(stored.k === head.k && stored.n === head.n, `class ${stored.name} is not ${head.k} of ${head.n}`)
  if (size === undefined) throw wrongRecord(object, 'head', `no object has ${sealed} sealed bytes`)
  check(head.segmentSize === SEGMENT_SIZE, `its segments have ${head.segmentSize} bytes`)
  const inline = head.segments === 0 ? head.inline : undefined
  if (inline === undefined) {
    check(head.segments === segmentCount(sealed) && head.segments <= MAX_SEGMENTS, `it names ${head.segments} segments`)
    check(head.inline.length === 0, 'it has both segments and inline bytes')
    check(areSealKeys(head.sealKeys), 'its seal keys are not wrapped as they should be')
  } else {
    check(inline.length === sealed && sealed <= sealedLength(MAX_INLINE), `it holds ${inline.length} bytes inline`)
    check(head.sealKeys.length === 0, 'it has seal keys and no shards')
  }
  return {
    class: stored,
    sealed,
    size,
    segments: head.segments,
    inline,
    sealKeys: head.sealKeys.slice(),
    expiresAt: found.expiresAt,
    copies: found.copies,
    quorum: found.quorum,
  }
}

/** @throws WeftError E_OBJECT_RECORD */
function segmentOf(object: Uint8Array, head: ObjectHead, index: number, found: GetResult): ObjectSegment {
  const segment = decodeMessage(ObjectSegmentSchema, found.value, MAX_RECORD_VALUE)
  const check = checker(object, `segment ${index}`)
  const { k, n } = head.class
  const length = segmentLength(head.sealed, index)
  check(segment.version === VERSION, `its version is ${segment.version}, this node knows ${VERSION}`)
  check(segment.index === index, `it is of segment ${segment.index}`)
  check(segment.length === length, `it has ${segment.length} bytes in place of ${length}`)
  check(segment.shardLength === shardLengthOf(length, k), `its shards have ${segment.shardLength} bytes`)
  check(segment.roots.length === n && segment.holders.length === n, `it does not name ${n} roots and holders`)
  check(
    [...segment.roots, ...segment.holders].every((bytes) => bytes.length === 32),
    'a root or a holder has not 32 bytes',
  )
  // Copies: a view would take the whole record along to a coding thread.
  const shards = segment.holders.map((nodeKey, shard) => ({
    index: shard,
    node: toDidKey(nodeKey),
    nodeKey: nodeKey.slice(),
    root: (segment.roots[shard] as Uint8Array).slice(),
  }))
  check(new Set(shards.map((shard) => shard.node)).size === n, 'it names a holder twice')
  return { index, length, shardLength: segment.shardLength, shards, quorum: found.quorum }
}

function checker(object: Uint8Array, what: string): (holds: boolean, why: string) => void {
  return (holds, why) => {
    if (!holds) throw wrongRecord(object, what, why)
  }
}

function wrongRecord(object: Uint8Array, what: string, why: string): WeftError {
  return new WeftError({
    code: 'E_OBJECT_RECORD',
    cause: `The owner's ${what} record of object ${objectId(object).slice(0, 8)}… cannot be used: ${why}.`,
    fix: 'Update Weft on this node if the object was put by a newer version; else its owner has to put it again.',
  })
}

/** What a head that says it was removed means; it has no other field but its version. */
function removedOf(object: Uint8Array, head: ObjectHeadMessage): WeftError {
  const { removedAt } = head
  const plain = encodeMessage(ObjectHeadSchema, create(ObjectHeadSchema, { version: VERSION, removedAt }))
  if (removedAt > MAX_TIME || !equalBytes(encodeMessage(ObjectHeadSchema, head), plain)) {
    return wrongRecord(object, 'head', 'it says that the object was removed, and more')
  }
  return objectRemoved(objectId(object), Number(removedAt))
}

/** @param removedAt ms since the epoch. */
export function objectRemoved(object: string, removedAt: number): WeftError {
  return new WeftError({
    code: 'E_OBJECT_REMOVED',
    cause: `The owner of object ${object.slice(0, 8)}… removed it at ${new Date(removedAt).toISOString()}.`,
    fix: 'It cannot be had again. Whoever has a copy of the data may put it as a new object.',
    details: { removedAt },
  })
}

function notFound(object: Uint8Array, why: string): WeftError {
  return new WeftError({
    code: 'E_OBJECT_NOT_FOUND',
    cause: `Object ${objectId(object).slice(0, 8)}… is not in this network: ${why}.`,
    fix: 'Check the reference and whether the object has expired (`weft ls` on the node that put it).',
  })
}
