import { WeftError } from '@weft/core'
import { varintLength, writeVarint } from './varint.ts'

/** A frame: an unsigned varint with the length of the body (at most five bytes), then the body. */
export function encodeFrame(body: Uint8Array): Uint8Array {
  const out = new Uint8Array(varintLength(body.length) + body.length)
  out.set(body, writeVarint(body.length, out, 0))
  return out
}

/** Chunks smaller than this are copied together, bytes. */
const SMALL_CHUNK = 4_096

/**
 * Cuts a byte stream into frames, and into raw bytes where the protocol says so. Sans-I/O: push what arrived, then
 * take. It holds at most one frame of `maxFrame` bytes plus the last chunk, whatever pieces the sender cuts it into:
 * small chunks are copied together, so that neither the list nor the network buffers behind one-byte views grow.
 */
export class FrameParser {
  readonly #maxFrame: number
  #chunks: Uint8Array[] = []
  #buffered = 0
  /** What the last chunk is a view of, when this parser made it; what lies behind the view is free. */
  #own: Uint8Array | undefined

  constructor(maxFrame: number) {
    this.#maxFrame = maxFrame
  }

  /** Bytes that were pushed and not yet taken. */
  get buffered(): number {
    return this.#buffered
  }

  /** Chunks in which they are held: at most two, and two more for each 4 KiB. */
  get chunks(): number {
    return this.#chunks.length
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    this.#buffered += chunk.length
    if (chunk.length >= SMALL_CHUNK) this.#chunks.push(chunk)
    else this.#pushSmall(chunk)
  }

  /**
   * The next whole frame, or undefined when more bytes are needed. The result may share memory with what was pushed.
   * @throws WeftError E_FRAME_TOO_LARGE, E_FRAME_MALFORMED; the stream cannot go on after either.
   */
  takeFrame(): Uint8Array | undefined {
    let length = 0
    let scale = 1
    for (let at = 0; ; at++) {
      if (at >= this.#buffered) return undefined
      const byte = this.#peek(at)
      length += (byte & 127) * scale
      if (length > this.#maxFrame) {
        throw new WeftError({
          code: 'E_FRAME_TOO_LARGE',
          cause: `A frame of ${length} bytes or more was announced; the limit here is ${this.#maxFrame}.`,
          fix: 'The sender has to keep to the size limits of the protocol (packages/wire/src/registry.ts).',
        })
      }
      if (byte < 128) {
        if (byte === 0 && at > 0) throw malformed('its length has trailing zero bytes')
        const header = at + 1
        if (this.#buffered < header + length) return undefined
        this.#take(header)
        return this.#take(length)
      }
      scale *= 128
      if (at >= 4) throw malformed('its length takes more than five bytes')
    }
  }

  /** Up to `most` raw bytes that are there already, without copying; undefined when there are none. */
  takeRaw(most: number): Uint8Array | undefined {
    const first = this.#chunks[0]
    if (first === undefined || most === 0) return undefined
    return this.#take(Math.min(first.length, most))
  }

  /** Call at the end of the stream. @throws WeftError E_FRAME_TRUNCATED when it ended inside a frame. */
  end(): void {
    if (this.#buffered > 0) {
      throw new WeftError({
        code: 'E_FRAME_TRUNCATED',
        cause: `The stream ended inside a frame, after ${this.#buffered} bytes of it.`,
        fix: 'The sender went away in the middle of a message; try again.',
        retryable: true,
      })
    }
  }

  #pushSmall(chunk: Uint8Array): void {
    const last = this.#chunks.at(-1)
    const whole = (last?.length ?? 0) + chunk.length
    if (last === undefined || whole > SMALL_CHUNK) {
      this.#chunks.push(chunk.slice())
      return
    }
    let own = this.#own
    let start = own === undefined || last.buffer !== own.buffer ? -1 : last.byteOffset
    if (own === undefined || start < 0 || start + whole > own.length) {
      // Room for as much again: one-byte chunks are copied a few times each, and a short message takes little memory.
      own = new Uint8Array(Math.min(SMALL_CHUNK, 2 * whole))
      own.set(last)
      this.#own = own
      start = 0
    }
    own.set(chunk, start + last.length)
    this.#chunks[this.#chunks.length - 1] = own.subarray(start, start + whole)
  }

  #peek(offset: number): number {
    let rest = offset
    for (const chunk of this.#chunks) {
      if (rest < chunk.length) return chunk[rest] as number
      rest -= chunk.length
    }
    throw new RangeError('peek behind the end')
  }

  #take(length: number): Uint8Array {
    this.#buffered -= length
    const first = this.#chunks[0]
    if (length === 0 || first === undefined) return new Uint8Array(0)
    if (first.length > length) {
      this.#chunks[0] = first.subarray(length)
      return first.subarray(0, length)
    }
    if (first.length === length) {
      this.#chunks.shift()
      return first
    }
    const out = new Uint8Array(length)
    let at = 0
    let used = 0
    while (at < length) {
      const chunk = this.#chunks[used] as Uint8Array
      const part = Math.min(chunk.length, length - at)
      out.set(chunk.subarray(0, part), at)
      at += part
      if (part === chunk.length) used++
      else this.#chunks[used] = chunk.subarray(part)
    }
    this.#chunks.splice(0, used)
    return out
  }
}

function malformed(why: string): WeftError {
  return new WeftError({
    code: 'E_FRAME_MALFORMED',
    cause: `A frame is malformed: ${why}.`,
    fix: 'The sender has to frame messages as docs/specs/rpc.md says; update the older of the two sides.',
  })
}
