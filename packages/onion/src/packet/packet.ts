import { TAG_BYTES } from '../sodium.ts'
import { BODY_SIZE, HEADER_SIZE, MAX_HOPS, PACKET_SIZE } from './sizes.ts'
import { MESSAGE, SPANS, type Span, nestedSpan, unitSpan } from './span.ts'

/**
 * A slot for one packet: 1440 bytes, and the views of them that the packet path uses. Making a view costs more than a
 * packet's share of everything but the AEAD, so that a slot makes each once and keeps it.
 */
export class Packet {
  readonly bytes: Uint8Array
  readonly view: DataView
  /** Offset 36, 1404 bytes. */
  readonly body: Uint8Array
  /** The last 100 bytes, a cell's associated data. */
  readonly tail: Uint8Array
  /** A message's content, offset 20, 1404 bytes. */
  readonly content: Uint8Array
  /** Where the bytes lie in the memory of the process, for who calls native code; 0 until that was found out. */
  place = 0

  readonly #sealed: (Uint8Array | undefined)[] = noViews(SPANS)
  readonly #plain: (Uint8Array | undefined)[] = noViews(SPANS)
  readonly #unitPayload: (Uint8Array | undefined)[] = noViews(MAX_HOPS)
  readonly #nestedPayload: (Uint8Array | undefined)[] = noViews(MAX_HOPS)
  #nonce: Uint8Array | undefined
  #sampleNonce: Uint8Array | undefined

  /** On its own memory, or on 1440 bytes of `buffer` from `offset`. @throws RangeError when they are not there. */
  constructor(buffer: ArrayBuffer = new ArrayBuffer(PACKET_SIZE), offset = 0) {
    this.bytes = new Uint8Array(buffer, offset, PACKET_SIZE)
    this.view = new DataView(buffer, offset, PACKET_SIZE)
    this.body = this.bytes.subarray(HEADER_SIZE)
    this.tail = this.bytes.subarray(PACKET_SIZE - 100)
    this.content = this.bytes.subarray(20, 20 + BODY_SIZE)
  }

  /** Takes over a datagram; false, and nothing is taken, when its length is not that of a packet. */
  copyFrom(datagram: Uint8Array): boolean {
    if (datagram.length !== PACKET_SIZE) return false
    this.bytes.set(datagram)
    return true
  }

  /** Bytes 0 to 11: an initiation's nonce. */
  get nonce(): Uint8Array {
    return (this.#nonce ??= this.bytes.subarray(0, 12))
  }

  /** Bytes 24 to 35: the nonce part of the header protection's sample (RFC 9001, section 5.4.4). */
  get sampleNonce(): Uint8Array {
    return (this.#sampleNonce ??= this.bytes.subarray(24, 36))
  }

  /** Plaintext of a span. */
  plainOf({ id, plain, length }: Span): Uint8Array {
    return (this.#plain[id] ??= this.bytes.subarray(plain, plain + length))
  }

  /** Ciphertext and tag of a span. */
  sealedOf({ id, sealed, length }: Span): Uint8Array {
    return (this.#sealed[id] ??= this.bytes.subarray(sealed, sealed + length + TAG_BYTES))
  }

  /** A message's cell header and content, 1412 bytes. */
  get messagePlain(): Uint8Array {
    return this.plainOf(MESSAGE)
  }

  /** The same sealed, 1428 bytes. */
  get messageSealed(): Uint8Array {
    return this.sealedOf(MESSAGE)
  }

  /** Content of a unit at the head of the body, without its kind: a session's packet at the exit. */
  unitPayload(depth: number): Uint8Array {
    return (this.#unitPayload[depth] ??= withoutKind(this.plainOf(unitSpan(depth))))
  }

  /** The same of a unit inside of others: a session's packet at the client. */
  nestedPayload(depth: number): Uint8Array {
    return (this.#nestedPayload[depth] ??= withoutKind(this.plainOf(nestedSpan(depth))))
  }
}

function withoutKind(plain: Uint8Array): Uint8Array {
  return plain.subarray(0, -1)
}

function noViews(count: number): (Uint8Array | undefined)[] {
  return Array.from({ length: count }, () => undefined)
}
