import { type Clock, WeftError, concatBytes, systemClock, toHex } from '@weft/core'
import { type DidKey, SigningKey, sha256 } from '@weft/crypto'
import type { ByteStream, GetResult, Member, Overlay, PeerStatus, RecordStore, Streams, Term } from '@weft/overlay'
import {
  FrameParser,
  MAX_SHARD_LENGTH,
  MAX_SHARD_MESSAGE,
  ShardRequestSchema,
  ShardResponseSchema,
  create,
  decodeMessage,
  encodeFrame,
  encodeMessage,
} from '@weft/wire'
import { streamPair } from '../../src/object/stream-pair.ts'
import { type DeletionStatement, signDeletion } from '../../src/holder/deletion-statement.ts'
import { verifyCommit, verifyRelease, verifyRemove } from '../../src/holder/shard-authorization.ts'

/** Stands for the bytes of every shard that a discarding holder has. */
const NOTHING = new Uint8Array(MAX_SHARD_LENGTH)

/** One shard at a fake holder. */
export interface FakeShard {
  bytes: Uint8Array
  committed: boolean
  readonly segment: number
  readonly index: number
  readonly object: string
}

/** A holder in memory that speaks the shard stream; tests look into it and make it misbehave. */
export class FakeHolder {
  readonly key: SigningKey
  readonly id: DidKey
  readonly shards = new Map<string, FakeShard>()
  up = true
  /** Puts after this many are answered by a fault. */
  acceptPuts = Infinity
  /** Requests wait for this before they are answered. */
  gate: Promise<void> = Promise.resolve()
  failCommit = false
  /** Until when it keeps each object, ms since the epoch. */
  readonly expiries = new Map<string, number>()
  /** What it answers to a removal in place of its statement; `undefined`: an answer to something else. */
  forge = (statement: DeletionStatement): DeletionStatement | undefined => statement
  /** Called when it is asked to remove an object, before it does. */
  onRemove = (): void => {}
  /** It says of no shard that it has it, or of none that is committed. */
  denies: 'all' | 'committed' | undefined
  /** Counts bytes in place of keeping them: its memory stays flat. */
  discards = false
  gets = 0
  /** Opened streams that are not over. */
  readonly streams = new Set<ByteStream>()

  constructor(seed: number) {
    this.key = new SigningKey(sha256(Uint8Array.of(seed)))
    this.id = this.key.id
  }

  async serve(stream: ByteStream): Promise<void> {
    this.streams.add(stream)
    void stream.closed.then(() => this.streams.delete(stream))
    const parser = new FrameParser(MAX_SHARD_MESSAGE)
    const provisional = new Set<string>()
    let put:
      | { key: string; parts: Uint8Array[]; left: number; length: number; shard: Omit<FakeShard, 'bytes'> }
      | undefined
    const answer = (
      body: NonNullable<Parameters<typeof create<typeof ShardResponseSchema>>[1]>['body'],
    ): Promise<void> =>
      stream.write(encodeFrame(encodeMessage(ShardResponseSchema, create(ShardResponseSchema, { body: body! }))))
    const fault = (code: string): Promise<void> =>
      answer({ case: 'fault', value: { code, cause: 'as the test wants', fix: 'none', retryable: false } })
    const finishPut = async (): Promise<void> => {
      const { key, parts, shard, length } = put!
      put = undefined
      await this.gate
      if (this.acceptPuts-- <= 0) return fault('E_DISK_FULL')
      this.shards.set(key, { ...shard, bytes: this.discards ? NOTHING.subarray(0, length) : concatBytes(parts) })
      provisional.add(key)
      return answer({ case: 'done', value: {} })
    }
    try {
      for await (const chunk of stream.incoming) {
        parser.push(chunk)
        for (;;) {
          if (put !== undefined) {
            if (put.left > 0) {
              const raw = parser.takeRaw(put.left)
              if (raw === undefined) break
              if (!this.discards) put.parts.push(raw.slice())
              put.left -= raw.length
            }
            if (put.left === 0) await finishPut()
            continue
          }
          const frame = parser.takeFrame()
          if (frame === undefined) break
          const { body } = decodeMessage(ShardRequestSchema, frame, MAX_SHARD_MESSAGE)
          if (body.case === 'put') {
            const { object, segment, index } = body.value.name!
            const key = `${toHex(object)}/${segment}/${index}`
            const length = Number(body.value.length)
            put = {
              key,
              parts: [],
              left: length,
              length,
              shard: { committed: false, segment, index, object: toHex(object) },
            }
          } else if (body.case === 'get') {
            this.gets++
            await this.gate
            const { object, segment, index } = body.value.name!
            const shard = this.shards.get(`${toHex(object)}/${segment}/${index}`)
            if (shard === undefined) await fault('E_SHARD_NOT_FOUND')
            else {
              await answer({ case: 'data', value: { length: BigInt(shard.bytes.length) } })
              if (shard.bytes.length > 0) await stream.write(shard.bytes.slice())
            }
          } else if (body.case === 'stat') {
            const { object, firstSegment, count } = body.value
            const shards = [...this.shards.values()]
              .filter((one) => this.denies !== 'all' && (this.denies !== 'committed' || !one.committed))
              .filter(
                (one) =>
                  one.object === toHex(object) && one.segment >= firstSegment && one.segment < firstSegment + count,
              )
              .map(({ segment, index, bytes }) => ({ segment, index, length: BigInt(bytes.length), corrupt: false }))
            await answer({ case: 'held', value: { shards } })
          } else if (body.case === 'commit') {
            verifyCommit({
              object: body.value.object,
              expiresAt: Number(body.value.expiresAt),
              signature: body.value.signature,
            })
            if (this.failCommit) await fault('E_DISK_FULL')
            else {
              for (const shard of this.shards.values())
                if (shard.object === toHex(body.value.object)) shard.committed = true
              const key = toHex(body.value.object)
              this.expiries.set(key, Math.max(Number(body.value.expiresAt), this.expiries.get(key) ?? 0))
              provisional.clear()
              await answer({ case: 'done', value: {} })
            }
          } else if (body.case === 'release') {
            verifyRelease(body.value)
            for (const [key, shard] of this.shards)
              if (shard.object === toHex(body.value.object)) this.shards.delete(key)
            await answer({ case: 'done', value: {} })
          } else if (body.case === 'remove') {
            const { object, expiresAt, signature } = body.value
            verifyRemove({ object, expiresAt: Number(expiresAt), signature })
            this.onRemove()
            await this.gate
            const gone = [...this.shards].filter(([, shard]) => shard.object === toHex(object))
            for (const [key] of gone) this.shards.delete(key)
            const bytes = gone.reduce((sum, [, shard]) => sum + shard.bytes.length, 0)
            const deletion = { shards: gone.length, bytes, at: 5, until: Number(expiresAt) }
            const forged = this.forge(signDeletion(this.key, object, deletion))
            if (forged === undefined) await answer({ case: 'done', value: {} })
            else {
              const { shards, bytes: deleted, at, until } = forged
              const numbers = { shards: BigInt(shards), bytes: BigInt(deleted), at: BigInt(at), until: BigInt(until) }
              await answer({ case: 'removed', value: { ...numbers, signature: forged.signature } })
            }
          }
        }
      }
      await stream.closeWrite()
    } catch (error) {
      stream.abort(error instanceof Error ? error : new Error(String(error)))
    } finally {
      for (const key of provisional) this.shards.delete(key)
    }
  }

  kill(): void {
    this.up = false
    for (const stream of this.streams) stream.abort(new Error('killed'))
  }
}

/** Records in memory with the sequence rule of the real ones. */
export class FakeRecords implements RecordStore {
  readonly values = new Map<string, { value: Uint8Array; sequence: number; expiresAt: number }>()
  failPuts = 0
  /** Called before each write. */
  onPut = (): void => {}
  quorum = true
  /** Nodes that every read finds a record at. */
  copies = 1

  putImmutable(): Promise<never> {
    return Promise.reject(new Error('not used by objects'))
  }

  async putMutable(
    record: Parameters<RecordStore['putMutable']>[0],
    options?: Parameters<RecordStore['putMutable']>[1],
  ): Promise<Awaited<ReturnType<RecordStore['putMutable']>>> {
    options?.signal?.throwIfAborted()
    this.onPut()
    if (this.failPuts > 0 && this.failPuts-- === 1)
      throw new WeftError({ code: 'E_RECORD_QUORUM', cause: 'test', fix: 'none' })
    const key = `${toHex(record.owner.publicKey)}/${new TextDecoder().decode(record.salt)}`
    const old = this.values.get(key)
    const isSame = old?.sequence === record.sequence && Buffer.compare(old.value, record.value) === 0
    if (old !== undefined && old.sequence >= record.sequence && !isSame)
      throw new WeftError({ code: 'E_RECORD_CONFLICT', cause: 'test', fix: 'none' })
    this.values.set(key, { value: record.value.slice(), sequence: record.sequence, expiresAt: record.expiresAt })
    return { key: new Uint8Array(32), acknowledged: 1, required: 1, holders: 1 }
  }

  get(): Promise<never> {
    return Promise.reject(new Error('not used by objects'))
  }

  async getMutable(owner: Uint8Array, salt: Uint8Array): Promise<GetResult> {
    const found = this.values.get(`${toHex(owner)}/${new TextDecoder().decode(salt)}`)
    if (found === undefined) throw new WeftError({ code: 'E_RECORD_NOT_FOUND', cause: 'test', fix: 'none' })
    return { ...found, quorum: this.quorum, answered: 1, copies: this.copies, required: 1 }
  }

  /** Records that still say something. */
  live(): string[] {
    return [...this.values].filter(([, { value }]) => value.length > 0).map(([key]) => key)
  }
}

/** A term as far as objects look at it. */
export function termOf(keys: readonly SigningKey[]): Term {
  const validators = keys.map(({ id }) => ({ id, addresses: [], family: 'validators' }))
  return {
    number: 0,
    fromEpoch: 0,
    validators,
    rotation: 0,
    quorum: 3,
    isValidator: () => false,
    validatorWith: () => undefined,
  }
}

/** A member at a place of its own, unless told otherwise. */
export function memberAt(id: DidKey, at: number, place: Partial<Member> = {}): Member {
  return {
    id,
    roles: ['storage'],
    addresses: [],
    family: `family-${at}`,
    region: `region-${at % 5}`,
    country: 'CH',
    asn: 64_512 + at,
    diversityAddress: `10.${at >> 8}.${at & 255}.1`,
    simulated: true,
    certificateEpoch: 1,
    expiresAt: Number.MAX_SAFE_INTEGER,
    certificateHash: new Uint8Array(32),
    ...place,
  }
}

/** An overlay of fakes: `count` storage members, each served by a FakeHolder. */
export class MemoryNetwork {
  readonly holders: FakeHolder[]
  readonly records = new FakeRecords()
  /** Who gets seal keys. */
  readonly validators = Array.from({ length: 4 }, (_, at) => new SigningKey(sha256(Uint8Array.of(254, at))))
  readonly self = new SigningKey(sha256(Uint8Array.of(255, 255)))
  readonly clock: Clock
  /** Bytes that were written towards holders. */
  sent = 0

  constructor(count: number, clock: Clock = systemClock) {
    this.holders = Array.from({ length: count }, (_, at) => new FakeHolder(at))
    this.clock = clock
  }

  holder(id: DidKey): FakeHolder {
    return this.holders.find((holder) => holder.id === id)!
  }

  get shardCount(): number {
    return this.holders.reduce((sum, holder) => sum + holder.shards.size, 0)
  }

  overlay(): Overlay {
    const members = this.holders.map((holder, at) => memberAt(holder.id, at))
    const streams: Streams = {
      open: async (to, _protocol, signal) => {
        signal?.throwIfAborted()
        const holder = this.holder(to)
        if (!holder.up) throw new WeftError({ code: 'E_NODE_UNREACHABLE', cause: 'it is down', fix: 'none' })
        const [near, far] = streamPair(to)
        void holder.serve(far)
        return { ...near, write: (bytes) => ((this.sent += bytes.length), near.write(bytes)) }
      },
      handleStream: () => {},
    }
    const peer = (id: DidKey): PeerStatus => ({ id, state: 'connected', since: 0, rttMs: 1, fault: undefined })
    const overlay: Partial<Overlay> = {
      self: this.self.id,
      networkId: 'test-net',
      records: this.records,
      streams,
      peer,
      suspects: () => new Set(),
      revocations: () => ({ inForce: [], pending: [] }),
      term: () => termOf(this.validators),
      membership: {
        networkId: 'test-net',
        members: () => members,
        member: (id) => members.find((member) => member.id === id),
        isMember: (id) => members.some((member) => member.id === id),
        isValidator: () => false,
        status: () => ({ epoch: 1, root: '', signedAt: 0, signatures: 1, quorum: 1, validators: 1, fault: undefined }),
        onChange: () => () => {},
      },
    }
    return overlay as Overlay
  }
}
