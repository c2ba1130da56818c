import { TAG_BYTES } from '../sodium.ts'
import { BODY_SIZE, HEADER_SIZE, MAX_HOPS, PACKET_SIZE, payloadLength, unitLength } from './sizes.ts'

/** Bytes of a layer unit that stand before what is sealed: its counter. */
const UNIT_COUNTER = 8

/**
 * A slot for one packet: 1440 bytes and every view of them that the packet path uses. Making a view costs more than a
 * packet's share of everything but the AEAD, so that a slot makes each once and keeps it.
 */
export class Packet {
  readonly bytes: Uint8Array
  readonly view: DataView
  /** Offset 36, 1404 bytes. */
  readonly body: Uint8Array

  /** Bytes 0 to 11, receiver index and counter; with an index of zero this is the link's AEAD nonce. */
  readonly nonce: Uint8Array
  /** Bytes 24 to 35: the nonce part of the header protection's sample (RFC 9001, section 5.4.4). */
  readonly sampleNonce: Uint8Array
  /** A cell's header, 8 bytes, and the same sealed, 24. */
  readonly cellPlain: Uint8Array
  readonly cellSealed: Uint8Array
  /** The last 100 bytes, a cell's associated data. */
  readonly tail: Uint8Array
  /** A message's cell header and content, 1412 bytes, and the same sealed, 1428. */
  readonly messagePlain: Uint8Array
  readonly messageSealed: Uint8Array
  /** A message's content, offset 20, 1404 bytes. */
  readonly content: Uint8Array

  readonly #unitSealed: (Uint8Array | undefined)[] = noViews()
  readonly #unitPlain: (Uint8Array | undefined)[] = noViews()
  readonly #nestedSealed: (Uint8Array | undefined)[] = noViews()
  readonly #nestedPlain: (Uint8Array | undefined)[] = noViews()
  readonly #unitContent: (Uint8Array | undefined)[] = noViews()
  readonly #unitPayload: (Uint8Array | undefined)[] = noViews()
  readonly #nestedPayload: (Uint8Array | undefined)[] = noViews()

  /** On its own memory, or on 1440 bytes of `buffer` from `offset`. @throws RangeError when they are not there. */
  constructor(buffer: ArrayBuffer = new ArrayBuffer(PACKET_SIZE), offset = 0) {
    this.bytes = new Uint8Array(buffer, offset, PACKET_SIZE)
    this.view = new DataView(buffer, offset, PACKET_SIZE)
    this.body = this.bytes.subarray(HEADER_SIZE)
    this.nonce = this.bytes.subarray(0, 12)
    this.sampleNonce = this.bytes.subarray(24, 36)
    this.cellPlain = this.bytes.subarray(12, 20)
    this.cellSealed = this.bytes.subarray(12, HEADER_SIZE)
    this.tail = this.bytes.subarray(PACKET_SIZE - 100)
    this.messagePlain = this.bytes.subarray(12, PACKET_SIZE - TAG_BYTES)
    this.messageSealed = this.bytes.subarray(12)
    this.content = this.bytes.subarray(20, 20 + BODY_SIZE)
  }

  /** Takes over a datagram; false, and nothing is taken, when its length is not that of a packet. */
  copyFrom(datagram: Uint8Array): boolean {
    if (datagram.length !== PACKET_SIZE) return false
    this.bytes.set(datagram)
    return true
  }

  /** Sealed part of the unit of hop `depth` at the head of the body (a relay's case; its counter stands at offset 36). */
  unitSealed(depth: number): Uint8Array {
    return (this.#unitSealed[depth] ??= this.#sealed(HEADER_SIZE, depth))
  }

  /** Content and kind of that unit. */
  unitPlain(depth: number): Uint8Array {
    return (this.#unitPlain[depth] ??= this.#plain(HEADER_SIZE, depth))
  }

  /**
   * Sealed part of the unit of hop `depth` inside the units of all hops before it (a client's case; its counter stands at
   * offset 36 + 8 depth).
   */
  nestedSealed(depth: number): Uint8Array {
    return (this.#nestedSealed[depth] ??= this.#sealed(HEADER_SIZE + UNIT_COUNTER * depth, depth))
  }

  /** Content and kind of that unit. */
  nestedPlain(depth: number): Uint8Array {
    return (this.#nestedPlain[depth] ??= this.#plain(HEADER_SIZE + UNIT_COUNTER * depth, depth))
  }

  /**
   * What the unit of hop `depth` holds, content and kind, when it stands at the very head of the body: where a relay opens a
   * forward unit to, and where the content of a backward one lies.
   */
  unitContent(depth: number): Uint8Array {
    return (this.#unitContent[depth] ??= this.body.subarray(0, this.unitPlain(depth).length))
  }

  /** {@link unitPlain} without the kind: a session's packet at the exit. */
  unitPayload(depth: number): Uint8Array {
    return (this.#unitPayload[depth] ??= this.unitPlain(depth).subarray(0, payloadLength(depth)))
  }

  /** {@link nestedPlain} without the kind: a session's packet at the client. */
  nestedPayload(depth: number): Uint8Array {
    return (this.#nestedPayload[depth] ??= this.nestedPlain(depth).subarray(0, payloadLength(depth)))
  }

  #sealed(offset: number, depth: number): Uint8Array {
    if (!Number.isInteger(depth) || depth < 0 || depth >= MAX_HOPS)
      throw new RangeError(`depth ${depth} is not 0 to ${MAX_HOPS - 1}`)
    return this.bytes.subarray(offset + UNIT_COUNTER, offset + unitLength(depth))
  }

  #plain(offset: number, depth: number): Uint8Array {
    const sealed = this.#sealed(offset, depth)
    return sealed.subarray(0, sealed.length - TAG_BYTES)
  }
}

function noViews(): (Uint8Array | undefined)[] {
  return Array.from({ length: MAX_HOPS }, () => undefined)
}
