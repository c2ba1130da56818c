import { isWeftError } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { ShardName } from '../holder/shard-name.ts'
import type { ObjectHead, ObjectRecords, ObjectSegment } from '../object/object-records.ts'

/** What says that there is nothing to keep, rather than that nobody could be asked. */
const GONE = ['E_OBJECT_NOT_FOUND', 'E_OBJECT_REMOVED', 'E_OBJECT_RECORD']

/** What the owner's record says of a shard. */
export interface RecordedShard {
  readonly node: DidKey
  readonly root: Uint8Array
  readonly length: number
  /** ms since the epoch. */
  readonly expiresAt: number
  /** The whole segment: who else has shards of it. */
  readonly segment: ObjectSegment
}

/** Reads the records of shards for one audit, each once. */
export class AuditRecords {
  readonly #records: Pick<ObjectRecords, 'readHead' | 'readSegment'>
  readonly #heads = new Map<string, Promise<ObjectHead>>()
  readonly #segments = new Map<string, Promise<ObjectSegment>>()

  constructor(records: Pick<ObjectRecords, 'readHead' | 'readSegment'>) {
    this.#records = records
  }

  /** Undefined when there is no such shard. @throws WeftError E_RECORD_UNAVAILABLE and others: nobody could be asked */
  async find({ object, segment, index }: ShardName, signal: AbortSignal): Promise<RecordedShard | undefined> {
    try {
      const key = object.toHex()
      const head = await once(this.#heads, key, () => this.#records.readHead(object, signal))
      if (segment >= head.segments) return undefined
      const read = (): Promise<ObjectSegment> => this.#records.readSegment(object, head, segment, signal)
      const found = await once(this.#segments, `${key}/${segment}`, read)
      const shard = found.shards[index]
      if (shard === undefined) return undefined
      return {
        node: shard.node,
        root: shard.root,
        length: found.shardLength,
        expiresAt: head.expiresAt,
        segment: found,
      }
    } catch (error) {
      if (GONE.some((code) => isWeftError(error, code))) return undefined
      throw error
    }
  }
}

function once<T>(map: Map<string, Promise<T>>, key: string, read: () => Promise<T>): Promise<T> {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = read()
  map.set(key, made)
  // Whoever asks again after a failure reads again.
  made.catch(() => map.delete(key))
  return made
}
