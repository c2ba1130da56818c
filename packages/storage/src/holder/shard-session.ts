import { BoundedQueue, type Clock, type Logger, WeftError, messageOf, toHex, toWeftError } from '@weft/core'
import type { ByteStream } from '@weft/overlay'
import { FrameParser, MAX_SHARD_MESSAGE, encodeFrame } from '@weft/wire'
import type { BlobPut } from '../blobs/blob-store.ts'
import type { HolderLimits } from './holder-limits.ts'
import { verifyPut } from './shard-authorization.ts'
import type { ShardName } from './shard-name.ts'
import { type ParsedRequest, parseShardRequest } from './shard-requests.ts'
import { type ResponseBody, type ShardService, encodeResponse } from './shard-service.ts'

const DONE: ResponseBody = { case: 'done', value: {} }

/** One answer that is owed; it writes itself to the stream. A rejection is fatal for the stream. */
type Answer = () => Promise<void>

/** An object of which this stream put some: puts that are not answered yet, and whom to tell when it is over. */
interface OpenObject {
  puts: number
  readonly over: () => void
}

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
  readonly #objects = new Map<string, OpenObject>()
  readonly #parser = new FrameParser(MAX_SHARD_MESSAGE)
  /** Requests that are not answered yet. */
  #owed = 0
  /** Waits for the other side to send something. */
  #waiting = false
  #cancelDeadline = (): void => {}
  #receiving: Receiving | undefined
  #broken: WeftError | undefined
  /** Ends what a request waits for when the stream is over. */
  readonly #over = new AbortController()

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
    const onAbort = (): void => {
      this.#over.abort()
      this.#stream.abort(signal.reason as Error)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    const answering = this.#answer()
    // It may fail while bytes go to the disk, before anybody waits for it.
    answering.catch(() => {})
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
      this.#over.abort()
      for (const { over } of this.#objects.values()) over()
    }
  }

  /** Reads requests until the end of the stream, or until the other side breaks the protocol. */
  async #read(): Promise<void> {
    try {
      this.#await(true)
      for await (const chunk of this.#stream.incoming) {
        this.#await(false)
        this.#parser.push(chunk)
        try {
          while (await this.#step());
        } catch (error) {
          await this.#breakOff(error)
          return
        }
        this.#await(true)
      }
      if (this.#receiving !== undefined) throw truncated(this.#receiving.missing)
      this.#parser.end()
    } finally {
      this.#await(false)
    }
  }

  #await(waiting: boolean): void {
    this.#waiting = waiting
    this.#setDeadline()
  }

  /** Whoever holds a stream must use it; while we owe an answer it is not for the other side to send something. */
  #setDeadline(): void {
    this.#cancelDeadline()
    this.#cancelDeadline = () => {}
    if (!this.#waiting) return
    const { stallMs, idleMs } = this.#limits
    if (this.#receiving !== undefined || this.#parser.buffered > 0) {
      this.#cancelDeadline = this.#abortAfter(stallMs, 'Nothing arrived in the middle of a request')
    } else if (this.#owed === 0) {
      this.#cancelDeadline = this.#abortAfter(idleMs, 'Nothing was asked for')
    }
  }

  #abortAfter(ms: number, what: string): () => void {
    return this.#clock.after(ms, () => this.#stream.abort(stalled(what, ms)))
  }

  /** Takes one request or one piece of a shard; false when more bytes are needed. */
  async #step(): Promise<boolean> {
    const receiving = this.#receiving
    if (receiving !== undefined) {
      const piece = this.#parser.takeRaw(receiving.missing)
      if (piece === undefined) return false
      await this.#receive(receiving, piece)
      return true
    }
    const frame = this.#parser.takeFrame()
    if (frame === undefined) return false
    await this.#begin(parseShardRequest(frame))
    return true
  }

  async #begin(request: ParsedRequest): Promise<void> {
    const { remote } = this.#stream
    switch (request.kind) {
      case 'put':
        await this.#beginPut(request.name, request.length, request.authorization)
        break
      case 'keep':
        await this.#beginKeep(request.name, request.length)
        break
      case 'get':
        this.#owe(() => this.#sendShard(request.name))
        break
      case 'stat':
        this.#owe(() => this.#respond(async () => this.#service.stat(request.object, request.first, request.count)))
        break
      case 'commit':
        this.#owe(() =>
          this.#respond(async () => {
            await this.#service.commit(request.authorization, remote)
            this.#leave(request.authorization.object)
            return DONE
          }),
        )
        break
      case 'remove':
        this.#owe(() =>
          this.#respond(async () => {
            const removed = await this.#service.remove(request.authorization, remote)
            this.#leave(request.authorization.object)
            return removed
          }),
        )
        break
      case 'release':
        this.#owe(() =>
          this.#respond(async () => {
            await this.#service.release(request.authorization)
            this.#leave(request.authorization.object)
            return DONE
          }),
        )
        break
    }
  }

  async #beginPut(name: ShardName, length: number, signature: Uint8Array): Promise<void> {
    const { remote } = this.#stream
    let open: OpenObject | undefined
    const begin = async (): Promise<BlobPut> => {
      // One signature is for all shards of the object: what this stream put of it before was checked.
      if (!this.#objects.has(toHex(name.object))) verifyPut({ object: name.object, peer: remote, signature })
      const put = await this.#service.put(name, length, remote)
      open = this.#enter(name.object)
      open.puts++
      return put
    }
    await this.#take(length, begin, () => {
      if (open !== undefined) open.puts--
    })
  }

  /** A shard in the place of another holder: committed when it is here, so it belongs to no stream. */
  async #beginKeep(name: ShardName, length: number): Promise<void> {
    await this.#take(length, () => this.#service.keep(name, length, this.#stream.remote, this.#over.signal))
  }

  /** Takes in the bytes that follow a request; of a refused one they are dropped. */
  async #take(length: number, begin: () => Promise<BlobPut>, onAnswer = (): void => {}): Promise<void> {
    const settle = Promise.withResolvers<void>()
    settle.promise.catch(() => {})
    let put: BlobPut | undefined
    let failure: WeftError | undefined
    try {
      put = await begin()
    } catch (error) {
      failure = internal(error)
    }
    this.#receiving = { put, settle, failure, missing: length }
    this.#owe(() =>
      this.#respond(async () => {
        try {
          await settle.promise
        } finally {
          onAnswer()
        }
        return DONE
      }),
    )
  }

  /**
   * One more answer. A client that asks for more than it may have under way does not read what it asked for: what it
   * sent is let go of at once. @throws WeftError E_PROTOCOL
   */
  #owe(answer: Answer): void {
    if (!this.#answers.tryPush(answer)) {
      const error = tooManyRequests(this.#limits.pendingPerStream)
      this.#stream.abort(error)
      throw error
    }
    this.#owed++
  }

  /** The stream puts shards of the object: they stay while it is open. */
  #enter(object: Uint8Array): OpenObject {
    const key = toHex(object)
    let open = this.#objects.get(key)
    if (open === undefined) {
      open = { puts: 0, over: this.#service.openObject(object, this.#stream.remote) }
      this.#objects.set(key, open)
    }
    return open
  }

  /** The object was committed or released: nothing is kept of it here, unless its next put is on the way already. */
  #leave(object: Uint8Array): void {
    const key = toHex(object)
    const open = this.#objects.get(key)
    if (open === undefined || open.puts > 0) return
    this.#objects.delete(key)
    open.over()
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
      await this.#inTime(this.#stream.closeWrite())
    })
  }

  async #answer(): Promise<void> {
    try {
      for await (const answer of this.#answers) {
        await answer()
        this.#owed--
        this.#setDeadline()
      }
      if (this.#broken === undefined) await this.#inTime(this.#stream.closeWrite())
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
      for (; piece.done !== true; piece = await iterator.next()) await this.#write(piece.value)
    } finally {
      await iterator?.return?.()
    }
  }

  #internal(error: unknown): WeftError {
    if (!(error instanceof WeftError)) this.#logger.error('a shard request failed', { error: messageOf(error) })
    return internal(error)
  }

  async #send(body: ResponseBody): Promise<void> {
    await this.#write(encodeFrame(encodeResponse(body)))
  }

  async #write(bytes: Uint8Array): Promise<void> {
    await this.#inTime(this.#stream.write(bytes))
  }

  /** The other side has to take what it asked for. */
  async #inTime(writing: Promise<void>): Promise<void> {
    const cancel = this.#abortAfter(this.#limits.stallMs, 'An answer was not read')
    try {
      await writing
    } finally {
      cancel()
    }
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

function stalled(what: string, ms: number): WeftError {
  return new WeftError({
    code: 'E_STREAM_STALLED',
    cause: `${what} for ${ms} ms.`,
    fix: 'Check the connection between the two nodes; open a new stream and go on there.',
    retryable: true,
  })
}

function tooManyRequests(most: number): WeftError {
  return new WeftError({
    code: 'E_PROTOCOL',
    cause: `More than ${most} requests are under way on one shard stream.`,
    fix: 'The caller has to follow docs/specs/shards.md and read the answers to what it asks for.',
  })
}
