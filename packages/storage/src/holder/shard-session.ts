import { BoundedQueue, type Clock, type Logger, WeftError, messageOf, toHex, toWeftError } from '@weft/core'
import type { ByteStream } from '@weft/overlay'
import { FrameParser, MAX_SHARD_MESSAGE, encodeFrame } from '@weft/wire'
import type { BlobPut } from '../blobs/blob-store.ts'
import type { HolderLimits } from './holder-limits.ts'
import type { ShardName } from './shard-name.ts'
import { type ParsedRequest, parseShardRequest } from './shard-requests.ts'
import { type ResponseBody, type ShardService, encodeResponse } from './shard-service.ts'

const DONE: ResponseBody = { case: 'done', value: {} }

/** One answer that is owed; it writes itself to the stream. A rejection is fatal for the stream. */
type Answer = () => Promise<void>

/** A put whose bytes are arriving; without `put` they are discarded, because it was refused. */
interface Receiving {
  readonly put: BlobPut | undefined
  readonly settle: PromiseWithResolvers<void>
  failure: WeftError | undefined
  missing: number
}

/**
 * One shard stream at the holder. Requests are read ahead while answers are owed: the bytes of the next put go to disk
 * while the one before is being flushed. Everything else is carried out in its turn, so each request sees the ones
 * before it. What breaks the protocol is answered with its fault, after what was owed, and the stream is reset.
 */
export class ShardSession {
  readonly #service: ShardService
  readonly #stream: ByteStream
  readonly #limits: HolderLimits
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #answers: BoundedQueue<Answer>
  readonly #objects = new Map<string, () => void>()
  #receiving: Receiving | undefined
  #broken: WeftError | undefined

  constructor(service: ShardService, stream: ByteStream, limits: HolderLimits, clock: Clock, logger: Logger) {
    this.#service = service
    this.#stream = stream
    this.#limits = limits
    this.#clock = clock
    this.#logger = logger
    this.#answers = new BoundedQueue(limits.pendingPerStream)
  }

  /** Serves until the other side ends. @throws the reason for which the stream has to be reset */
  async run(signal: AbortSignal): Promise<void> {
    const onAbort = (): void => this.#stream.abort(signal.reason as Error)
    signal.addEventListener('abort', onAbort, { once: true })
    const answering = this.#answer()
    try {
      await this.#read()
      this.#answers.end()
      await answering
      if (this.#broken !== undefined) throw this.#broken
    } catch (error) {
      this.#answers.end(internal(error))
      await this.#receiving?.put?.discard()
      this.#receiving?.settle.reject(error)
      await answering.catch(() => {})
      throw error
    } finally {
      signal.removeEventListener('abort', onAbort)
      for (const over of this.#objects.values()) over()
    }
  }

  /** Reads requests until the end of the stream, or until the other side breaks the protocol. */
  async #read(): Promise<void> {
    const parser = new FrameParser(MAX_SHARD_MESSAGE)
    let stall: (() => void) | undefined
    try {
      for await (const chunk of this.#stream.incoming) {
        stall?.()
        parser.push(chunk)
        try {
          while (await this.#step(parser));
        } catch (error) {
          await this.#breakOff(error)
          return
        }
        const inside = this.#receiving !== undefined || parser.buffered > 0
        stall = inside
          ? this.#clock.after(this.#limits.stallMs, () => this.#stream.abort(stalled(this.#limits.stallMs)))
          : undefined
      }
      if (this.#receiving !== undefined) throw truncated(this.#receiving.missing)
      parser.end()
    } finally {
      stall?.()
    }
  }

  /** Takes one request or one piece of a shard; false when more bytes are needed. */
  async #step(parser: FrameParser): Promise<boolean> {
    const receiving = this.#receiving
    if (receiving !== undefined) {
      const piece = parser.takeRaw(receiving.missing)
      if (piece === undefined) return false
      await this.#receive(receiving, piece)
      return true
    }
    const frame = parser.takeFrame()
    if (frame === undefined) return false
    await this.#begin(parseShardRequest(frame))
    return true
  }

  async #begin(request: ParsedRequest): Promise<void> {
    const { remote } = this.#stream
    switch (request.kind) {
      case 'put':
        await this.#beginPut(request.name, request.length)
        break
      case 'get':
        await this.#answers.push(() => this.#sendShard(request.name))
        break
      case 'stat':
        await this.#answers.push(() =>
          this.#respond(async () => this.#service.stat(request.object, request.first, request.count)),
        )
        break
      case 'commit':
        await this.#answers.push(() =>
          this.#respond(async () => {
            await this.#service.commit(request.authorization, remote)
            return DONE
          }),
        )
        break
      case 'release':
        await this.#answers.push(() =>
          this.#respond(async () => {
            await this.#service.release(request.authorization)
            return DONE
          }),
        )
        break
    }
  }

  async #beginPut(name: ShardName, length: number): Promise<void> {
    const { remote } = this.#stream
    const key = toHex(name.object)
    if (!this.#objects.has(key)) this.#objects.set(key, this.#service.openObject(name.object, remote))
    const settle = Promise.withResolvers<void>()
    settle.promise.catch(() => {})
    let put: BlobPut | undefined
    let failure: WeftError | undefined
    try {
      put = await this.#service.put(name, length, remote)
    } catch (error) {
      failure = internal(error)
    }
    this.#receiving = { put, settle, failure, missing: length }
    await this.#answers.push(() =>
      this.#respond(async () => {
        await settle.promise
        return DONE
      }),
    )
  }

  async #receive(receiving: Receiving, piece: Uint8Array): Promise<void> {
    const { put, settle } = receiving
    receiving.missing -= piece.length
    if (put !== undefined && receiving.failure === undefined) {
      try {
        await put.write(piece)
      } catch (error) {
        // The rest of the bytes is read and dropped, so that the stream stays in step.
        receiving.failure = internal(error)
        await put.discard()
      }
    }
    if (receiving.missing > 0) return
    this.#receiving = undefined
    if (receiving.failure !== undefined) settle.reject(receiving.failure)
    else put?.finish().then(settle.resolve, (error: unknown) => settle.reject(internal(error)))
  }

  /** Answers what is owed, then the fault, then no more is read and the stream is reset. */
  async #breakOff(error: unknown): Promise<void> {
    this.#broken = internal(error)
    const { code, cause, fix, retryable } = this.#broken
    await this.#answers.push(async () => {
      await this.#send({ case: 'fault', value: { code, cause, fix, retryable } })
      await this.#stream.closeWrite()
    })
  }

  async #answer(): Promise<void> {
    try {
      for await (const answer of this.#answers) await answer()
      if (this.#broken === undefined) await this.#stream.closeWrite()
    } catch (error) {
      // The reader waits for bytes that will not come, or for room in the queue of answers.
      this.#answers.end(internal(error))
      this.#stream.abort(internal(error))
      throw error
    }
  }

  async #respond(carryOut: () => Promise<ResponseBody>): Promise<void> {
    let body: ResponseBody
    try {
      body = await carryOut()
    } catch (error) {
      const { code, cause, fix, retryable } = this.#internal(error)
      body = { case: 'fault', value: { code, cause, fix, retryable } }
    }
    await this.#send(body)
  }

  /** A shard that turns out damaged after its first bytes went out can only end with the stream. */
  async #sendShard(name: ShardName): Promise<void> {
    let iterator: AsyncIterator<Uint8Array> | undefined
    try {
      let length: number
      let piece: IteratorResult<Uint8Array>
      try {
        const shard = this.#service.get(name)
        length = shard.length
        iterator = shard.bytes[Symbol.asyncIterator]()
        piece = await iterator.next()
      } catch (error) {
        const { code, cause, fix, retryable } = this.#internal(error)
        await this.#send({ case: 'fault', value: { code, cause, fix, retryable } })
        return
      }
      await this.#send({ case: 'data', value: { length: BigInt(length) } })
      for (; piece.done !== true; piece = await iterator.next()) await this.#stream.write(piece.value)
    } finally {
      await iterator?.return?.()
    }
  }

  #internal(error: unknown): WeftError {
    if (!(error instanceof WeftError)) this.#logger.error('a shard request failed', { error: messageOf(error) })
    return internal(error)
  }

  async #send(body: ResponseBody): Promise<void> {
    await this.#stream.write(encodeFrame(encodeResponse(body)))
  }
}

function internal(error: unknown): WeftError {
  return toWeftError(error, {
    code: 'E_INTERNAL',
    cause: 'The holder failed to carry out the request.',
    fix: 'See the log of the holder.',
  })
}

function truncated(missing: number): WeftError {
  return new WeftError({
    code: 'E_FRAME_TRUNCATED',
    cause: `The stream ended inside a shard, ${missing} bytes before its end.`,
    fix: 'The sender went away in the middle of a shard; put it again.',
    retryable: true,
  })
}

function stalled(ms: number): WeftError {
  return new WeftError({
    code: 'E_STREAM_STALLED',
    cause: `Nothing arrived for ${ms} ms in the middle of a request.`,
    fix: 'Check the connection of the sender; put the shard again.',
    retryable: true,
  })
}
