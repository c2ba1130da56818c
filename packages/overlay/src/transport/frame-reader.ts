import { WeftError } from '@weft/core'
import { FrameParser, MAX_RPC_FRAME } from '@weft/wire'

/**
 * Frames of a control stream, with bounds that follow the sender: `limit` is asked while a frame is incomplete, so
 * that a stranger cannot make this node hold as much as a validator may.
 */
export class FrameReader {
  readonly #parser = new FrameParser(MAX_RPC_FRAME)
  readonly #limit: () => number

  constructor(limit: () => number) {
    this.#limit = limit
  }

  get buffered(): number {
    return this.#parser.buffered
  }

  /** All frames that are complete with this chunk. @throws WeftError E_FRAME_TOO_LARGE, E_FRAME_MALFORMED */
  *push(chunk: Uint8Array): Generator<Uint8Array> {
    this.#parser.push(chunk)
    for (;;) {
      const frame = this.#parser.takeFrame()
      if (frame === undefined) break
      if (frame.length > this.#limit()) throw tooLarge(frame.length, this.#limit())
      yield frame
    }
    const limit = this.#limit()
    // The five bytes are the frame's own length.
    if (this.#parser.buffered > limit + 5) throw tooLarge(this.#parser.buffered, limit)
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
