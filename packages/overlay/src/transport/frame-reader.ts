import { WeftError } from '@weft/core'
import { FrameParser, MAX_RPC_FRAME } from '@weft/wire'

/** Chunks smaller than this are copied: a one-byte view would keep the whole network buffer behind it alive. */
const SMALL_CHUNK = 4_096
/** Chunks that one frame may come in, besides one per KiB; more is an attack on the memory of this list. */
const CHUNKS_PER_FRAME = 64

/**
 * Frames of a control stream, with bounds that follow the sender: `limit` is asked while a frame is incomplete, so
 * that a stranger cannot make this node hold as much as a validator may.
 */
export class FrameReader {
  readonly #parser = new FrameParser(MAX_RPC_FRAME)
  readonly #limit: () => number
  #chunks = 0

  constructor(limit: () => number) {
    this.#limit = limit
  }

  get buffered(): number {
    return this.#parser.buffered
  }

  /** All frames that are complete with this chunk. @throws WeftError E_FRAME_TOO_LARGE, E_FRAME_MALFORMED */
  *push(chunk: Uint8Array): Generator<Uint8Array> {
    this.#parser.push(chunk.length < SMALL_CHUNK ? chunk.slice() : chunk)
    this.#chunks++
    for (;;) {
      const frame = this.#parser.takeFrame()
      if (frame === undefined) break
      if (frame.length > this.#limit()) throw tooLarge(frame.length, this.#limit())
      this.#chunks = 1
      yield frame
    }
    const limit = this.#limit()
    // The five bytes are the frame's own length.
    if (this.#parser.buffered > limit + 5) throw tooLarge(this.#parser.buffered, limit)
    if (this.#chunks > CHUNKS_PER_FRAME + this.#parser.buffered / 1_024) {
      throw new WeftError({
        code: 'E_FRAME_MALFORMED',
        cause: `A frame came in ${this.#chunks} pieces and is not complete after ${this.#parser.buffered} bytes.`,
        fix: 'The sender has to write whole frames.',
      })
    }
  }

  /** Call at the end of the stream. @throws WeftError E_FRAME_TRUNCATED */
  end(): void {
    this.#parser.end()
  }
}

function tooLarge(length: number, limit: number): WeftError {
  return new WeftError({
    code: 'E_FRAME_TOO_LARGE',
    cause: `A frame has ${length} bytes or more; the limit for this sender is ${limit}.`,
    fix: 'The sender has to keep to the size limits of the protocol (packages/wire/src/registry.ts).',
  })
}
