import { createCipheriv, createDecipheriv } from 'node:crypto'
import { inflateRawSync, deflateRawSync } from 'node:zlib'
import { type Random, concatBytes, equalBytes, fromUtf8, utf8 } from '@weft/core'
import { SigningKey, hkdf, wipe } from '@weft/crypto'
import { NONCE_SIZE } from '../object/sealed-rows.ts'
import { TAG_SIZE } from '../object/object-layout.ts'
import type { Change } from './catalog-records.ts'

// The log of the catalog in the network (docs/specs/buckets.md, Log); a change of any constant is a new version of it.

const VERSION = 1
export const WRITER_SIZE = 16
/** In front of what a piece carries: version, flags, writer, length. */
const HEADER = 1 + 1 + WRITER_SIZE + 4
const BEGINS = 1
const GOES_ON = 2
/** What a piece carries at most, bytes; with all that is around it less than a record may have. */
const MAX_DATA = 60 * 1024
/** A piece is filled up to a multiple of this, so that its length says little of the change. */
const PADDING = 512
/** Of one entry, with nothing left out: more than the largest change has. */
const MAX_ENTRY = 64 * 1024 * 1024
const NO_SALT = new Uint8Array(0)

/** Changes that were made together. */
export type Operation = readonly Change[]

/** What lies at one position of the log. */
export interface LogPiece {
  /** Of the machine that wrote it, 16 random bytes. */
  readonly writer: Uint8Array
  /** An entry begins with it; what was begun before and has no end counts for nothing. */
  readonly begins: boolean
  /** The entry goes on at the next position. */
  readonly goesOn: boolean
  readonly data: Uint8Array
}

/** The keys of the log: all from the person's, so that whoever has that finds it, and nobody else links two positions. */
export class LogKeys implements Disposable {
  readonly #seed: Uint8Array
  readonly #sealKey: Uint8Array

  constructor(personKey: SigningKey) {
    const seed = personKey.seed()
    this.#seed = hkdf(seed, NO_SALT, 'weft:catalog-log:v1', 32)
    this.#sealKey = hkdf(seed, NO_SALT, 'weft:catalog-entry:v1', 32)
    wipe(seed)
  }

  /** Owns the record at a position. */
  owner(position: number): SigningKey {
    const seed = hkdf(this.#seed, NO_SALT, concatBytes([utf8('weft:catalog-position:v1\0'), u64(position)]), 32)
    const key = new SigningKey(seed)
    wipe(seed)
    return key
  }

  seal(position: number, { writer, begins, goesOn, data }: LogPiece, random: Random): Uint8Array {
    const length = new Uint8Array(4)
    new DataView(length.buffer).setUint32(0, data.length)
    const flags = (begins ? BEGINS : 0) + (goesOn ? GOES_ON : 0)
    const size = Math.ceil((HEADER + data.length) / PADDING) * PADDING
    const padding = new Uint8Array(size - HEADER - data.length)
    const plain = concatBytes([Uint8Array.of(VERSION, flags), writer, length, data, padding])
    const nonce = random.bytes(NONCE_SIZE)
    const cipher = createCipheriv('aes-256-gcm', this.#sealKey, nonce).setAAD(u64(position))
    return concatBytes([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
  }

  /** @throws Error when it was not sealed by this person for this position, or is of another version */
  open(position: number, value: Uint8Array): LogPiece {
    const end = value.length - TAG_SIZE
    const nonce = value.subarray(0, NONCE_SIZE)
    const decipher = createDecipheriv('aes-256-gcm', this.#sealKey, nonce, { authTagLength: TAG_SIZE })
    decipher.setAAD(u64(position)).setAuthTag(value.subarray(end))
    const plain = concatBytes([decipher.update(value.subarray(NONCE_SIZE, end)), decipher.final()])
    const [version, flags = 0] = plain
    if (version !== VERSION) throw new Error(`an entry of version ${version}`)
    const length = new DataView(plain.buffer, plain.byteOffset).getUint32(2 + WRITER_SIZE)
    return {
      writer: plain.slice(2, 2 + WRITER_SIZE),
      begins: (flags & BEGINS) !== 0,
      goesOn: (flags & GOES_ON) !== 0,
      data: plain.slice(HEADER, HEADER + length),
    }
  }

  [Symbol.dispose](): void {
    wipe(this.#seed, this.#sealKey)
  }
}

/** Operations as pieces that follow each other. */
export function toPieces(operations: readonly Operation[], writer: Uint8Array): LogPiece[] {
  const packed = new Uint8Array(deflateRawSync(utf8(JSON.stringify(operations))))
  const count = Math.ceil(packed.length / MAX_DATA)
  return Array.from({ length: count }, (_, at) => ({
    writer,
    begins: at === 0,
    goesOn: at < count - 1,
    data: packed.slice(at * MAX_DATA, (at + 1) * MAX_DATA),
  }))
}

/** Puts entries together from the pieces of a log, in order. */
export class EntryReader {
  #begun: LogPiece[] = []

  /** The operations of the entry that ends with this piece; undefined while it goes on. */
  next(piece: LogPiece): readonly Operation[] | undefined {
    if (piece.begins) this.#begun = []
    const writer = this.#begun[0]?.writer ?? piece.writer
    if (!equalBytes(writer, piece.writer) || (this.#begun.length === 0 && !piece.begins)) return undefined
    this.#begun.push(piece)
    if (piece.goesOn) return undefined
    const packed = concatBytes(this.#begun.splice(0).map(({ data }) => data))
    return JSON.parse(fromUtf8(inflateRawSync(packed, { maxOutputLength: MAX_ENTRY }))) as Operation[]
  }
}

function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value))
  return bytes
}
