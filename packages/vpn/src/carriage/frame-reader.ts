import { PACKET_SIZE } from '@weft/onion'

/** Length 2, big-endian. */
const FRAME_HEADER_BYTES = 2
export const FRAME_BYTES = FRAME_HEADER_BYTES + PACKET_SIZE

/** Finds the packets in a stream of bytes. Keeps at most one that is not whole. */
export class FrameReader {
  readonly #rest = new Uint8Array(FRAME_BYTES)
  #length = 0

  /**
   * @param onPacket 1440 bytes, valid during the call only
   * @returns false when the bytes are none of packets: nothing that follows means anything
   */
  read(chunk: Uint8Array, onPacket: (packet: Uint8Array) => void): boolean {
    let at = 0
    if (this.#length > 0) {
      at = Math.min(FRAME_BYTES - this.#length, chunk.length)
      this.#rest.set(chunk.subarray(0, at), this.#length)
      this.#length += at
      if (!this.#restIsFrame()) return false
      if (this.#length < FRAME_BYTES) return true
      this.#length = 0
      onPacket(this.#rest.subarray(FRAME_HEADER_BYTES))
    }
    for (; at + FRAME_BYTES <= chunk.length; at += FRAME_BYTES) {
      if (!hasLength(chunk, at)) return false
      onPacket(chunk.subarray(at + FRAME_HEADER_BYTES, at + FRAME_BYTES))
    }
    this.#rest.set(chunk.subarray(at))
    this.#length = chunk.length - at
    return this.#restIsFrame()
  }

  /** As far as can be told. */
  #restIsFrame(): boolean {
    return this.#length < FRAME_HEADER_BYTES || hasLength(this.#rest, 0)
  }
}

export function writeFrame(out: Uint8Array, at: number, packet: Uint8Array): void {
  out[at] = PACKET_SIZE >>> 8
  out[at + 1] = PACKET_SIZE & 0xff
  out.set(packet, at + FRAME_HEADER_BYTES)
}

function hasLength(bytes: Uint8Array, at: number): boolean {
  return (((bytes[at] as number) << 8) | (bytes[at + 1] as number)) === PACKET_SIZE
}
