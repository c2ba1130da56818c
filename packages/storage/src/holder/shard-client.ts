import { Semaphore, WeftError, abortError, orAborted, toWeftError } from '@weft/core'
import type { ByteStream } from '@weft/overlay'
import {
  FrameParser,
  MAX_SHARD_LENGTH,
  MAX_SHARD_MESSAGE,
  type MessageInitShape,
  ShardRequestSchema,
  type ShardResponse,
  ShardResponseSchema,
  create,
  decodeMessage,
  encodeFrame,
  encodeMessage,
} from '@weft/wire'
import { remoteFault } from './remote-fault.ts'
import { type DeletionStatement, parseDeletion } from './deletion-statement.ts'
import type {
  CommitAuthorization,
  PutAuthorization,
  ReleaseAuthorization,
  RemoveAuthorization,
} from './shard-authorization.ts'
import { type ShardName, describeShard } from './shard-name.ts'

/** Bytes handed to the stream at a time: large enough for few system calls, small enough that an abort is prompt. */
const WRITE_PIECE = 256 * 1024
/** Requests that may be under way on one stream; the holder answers them in order. */
const MAX_PENDING = 64

/** A shard that a holder says it has. */
export interface HeldShard {
  readonly segment: number
  readonly index: number
  readonly length: number
  /** A checksum failed when the holder last read or checked it. */
  readonly corrupt: boolean
}

interface Pending {
  readonly settle: PromiseWithResolvers<ShardResponse>
  /** Where the bytes of a ShardData answer go; dropped when the caller gave up. */
  target: Uint8Array | undefined
  /** Set when an answer with bytes is expected. */
  readonly name: ShardName | undefined
  /** True once the whole request is out; before that, giving up leaves the stream in the middle of it. */
  sent: boolean
}

/**
 * The client's side of one shard stream (docs/specs/shards.md). Calls may overlap: requests go out in the order of the
 * calls without waiting for answers. Whatever breaks the stream fails every call under way; a fault that the holder
 * answers is thrown as it came, and the stream goes on unless the holder resets it. No call has a timeout of its own:
 * pass signals.
 */
export class ShardClient implements AsyncDisposable {
  readonly #stream: ByteStream
  readonly #pending: Pending[] = []
  readonly #slots = new Semaphore(MAX_PENDING)
  readonly #writer = new Semaphore(1)
  /** The shard whose bytes are arriving. */
  #body: { readonly response: ShardResponse; readonly entry: Pending; at: number; readonly length: number } | undefined
  #authorization: PutAuthorization | undefined
  #failure: WeftError | undefined
  #closing = false

  constructor(stream: ByteStream) {
    this.#stream = stream
    void this.#read()
  }

  /** The holder. */
  get remote(): ByteStream['remote'] {
    return this.#stream.remote
  }

  /** Why no further call can succeed; undefined while the stream is usable. */
  get failure(): WeftError | undefined {
    return this.#failure
  }

  /** What lets the puts from now on be made; it has to be for the node at this end of the stream. */
  authorize(authorization: PutAuthorization): void {
    this.#authorization = authorization
  }

  /**
   * Stores a shard of the object that {@link authorize} was called for at the holder, provisionally; resolves when the holder has it on disk. The bytes must not change
   * until this settles, and after an abort not before the stream is closed.
   * Aborted in the middle of its bytes, it takes the stream with it.
   * @throws WeftError the holder's fault (E_SIGNATURE_INVALID, E_DISK_FULL, E_QUOTA, E_SHARD_TOO_LARGE …), E_STREAM_RESET, E_ABORTED
   */
  async put(name: ShardName, parts: Uint8Array | readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    const list = parts instanceof Uint8Array ? [parts] : parts
    let length = 0
    for (const part of list) length += part.length
    const authorization = this.#authorization?.signature ?? new Uint8Array(0)
    const response = await this.#call(
      { case: 'put', value: { name: messageName(name), length: BigInt(length), authorization } },
      signal,
      { parts: list },
    )
    if (response.body.case !== 'done') throw this.#fail(unexpected(response, 'done'))
  }

  /**
   * Brings a shard that the holder is to keep in the place of another, or again; resolves when it is on disk there.
   * @throws WeftError the holder's fault (E_SHARD_PLACE, E_SHARD_CORRUPT, E_SHARD_EXISTS …), E_STREAM_RESET, E_ABORTED
   */
  async keep(name: ShardName, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    const value = { name: messageName(name), length: BigInt(bytes.length) }
    const response = await this.#call({ case: 'keep', value }, signal, { parts: [bytes] })
    if (response.body.case !== 'done') throw this.#fail(unexpected(response, 'done'))
  }

  /**
   * Reads a shard into `into`, which must have exactly its length; a shard of another length is refused. The bytes are
   * what the holder sent: check them against the root. After an abort nothing more is written into `into`.
   * @throws WeftError the holder's fault (E_SHARD_NOT_FOUND, E_SHARD_CORRUPT …), E_SHARD_LENGTH, E_STREAM_RESET, E_ABORTED
   */
  async get(name: ShardName, into: Uint8Array, signal?: AbortSignal): Promise<void> {
    const response = await this.#call({ case: 'get', value: { name: messageName(name) } }, signal, {
      target: into,
      name,
    })
    if (response.body.case !== 'data') throw this.#fail(unexpected(response, 'data'))
  }

  /**
   * Which shards of the object's segments [firstSegment, firstSegment + count) the holder has; count at most 4096.
   * @throws WeftError the holder's fault, E_STREAM_RESET, E_ABORTED
   */
  async stat(
    object: Uint8Array,
    firstSegment: number,
    count: number,
    signal?: AbortSignal,
  ): Promise<readonly HeldShard[]> {
    const response = await this.#call({ case: 'stat', value: { object, firstSegment, count } }, signal)
    if (response.body.case !== 'held') throw this.#fail(unexpected(response, 'held'))
    return response.body.value.shards.map(({ segment, index, length, corrupt }) => ({
      segment,
      index,
      length: Number(length),
      corrupt,
    }))
  }

  /** Commits all shards of the object at this holder. @throws WeftError the holder's fault, E_STREAM_RESET, E_ABORTED */
  async commit({ object, expiresAt, signature }: CommitAuthorization, signal?: AbortSignal): Promise<void> {
    const response = await this.#call(
      { case: 'commit', value: { object, expiresAt: BigInt(expiresAt), signature } },
      signal,
    )
    if (response.body.case !== 'done') throw this.#fail(unexpected(response, 'done'))
  }

  /**
   * Removes the object at this holder for good; well if it has nothing of it, and when it was removed before. Resolves
   * with what the holder signed, verified. @throws WeftError E_DELETION_STATEMENT; as {@link commit}
   */
  async remove(authorization: RemoveAuthorization, signal?: AbortSignal): Promise<DeletionStatement> {
    const { object, expiresAt, signature } = authorization
    const value = { object, expiresAt: BigInt(expiresAt), signature }
    const response = await this.#call({ case: 'remove', value }, signal)
    if (response.body.case !== 'removed') throw this.#fail(unexpected(response, 'removed'))
    return parseDeletion(response.body.value, object, this.remote)
  }

  /** Drops all shards of the object at this holder; well if it has none. @throws as {@link commit} */
  async release({ object, signature }: ReleaseAuthorization, signal?: AbortSignal): Promise<void> {
    const response = await this.#call({ case: 'release', value: { object, signature } }, signal)
    if (response.body.case !== 'done') throw this.#fail(unexpected(response, 'done'))
  }

  /** Ends our half after what was asked; resolves when the stream is over. What was not committed is dropped there. */
  async close(): Promise<void> {
    const release = await this.#writer.acquire()
    this.#closing = true
    try {
      if (this.#failure === undefined) await this.#stream.closeWrite()
    } catch (error) {
      this.#fail(error)
    } finally {
      release()
    }
    await this.#stream.closed
  }

  /** Drops the stream at once; every call under way fails with `error`. */
  abort(error: WeftError): void {
    this.#fail(error)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #call(
    body: Exclude<MessageInitShape<typeof ShardRequestSchema>['body'], undefined>,
    signal: AbortSignal | undefined,
    io: { parts?: readonly Uint8Array[]; target?: Uint8Array; name?: ShardName } = {},
  ): Promise<ShardResponse> {
    const frame = encodeFrame(encodeMessage(ShardRequestSchema, create(ShardRequestSchema, { body })))
    const freeSlot = await this.#slots.acquire(signal)
    const entry: Pending = { settle: Promise.withResolvers(), target: io.target, name: io.name, sent: false }
    entry.settle.promise.catch(() => {})
    let answered: Promise<ShardResponse>
    try {
      const release = await this.#writer.acquire(signal)
      // The writer is released when the request is out, not when the caller stops waiting: the next one must not
      // start inside this one's bytes.
      const sent = this.#send(entry, frame, io.parts ?? []).finally(release)
      answered = Promise.all([sent, entry.settle.promise]).then(([, response]) => response)
    } catch (error) {
      freeSlot()
      throw error
    }
    answered.then(freeSlot, freeSlot)
    const giveUp = (): void => {
      entry.target = undefined
      if (!entry.sent) this.#fail(abortError(signal))
    }
    // At once, and not when this wait comes to its end: the caller may use its memory for something else from now on.
    if (signal?.aborted === true) giveUp()
    else signal?.addEventListener('abort', giveUp, { once: true })
    try {
      return await orAborted(answered, signal)
    } finally {
      signal?.removeEventListener('abort', giveUp)
    }
  }

  async #send(entry: Pending, frame: Uint8Array, parts: readonly Uint8Array[]): Promise<void> {
    this.#throwIfFailed()
    this.#pending.push(entry)
    try {
      await this.#stream.write(frame)
      for (const part of parts) {
        for (let at = 0; at < part.length; at += WRITE_PIECE) {
          this.#throwIfFailed()
          await this.#stream.write(part.subarray(at, at + WRITE_PIECE))
        }
      }
      entry.sent = true
    } catch (error) {
      throw this.#fail(error)
    }
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  async #read(): Promise<void> {
    const parser = new FrameParser(MAX_SHARD_MESSAGE)
    try {
      for await (const chunk of this.#stream.incoming) {
        parser.push(chunk)
        while (this.#failure === undefined && this.#step(parser));
      }
      const body = this.#body
      if (body !== undefined) throw violation(`it ended inside a shard, after ${body.at} of ${body.length} bytes`)
      parser.end()
      this.#fail(
        new WeftError({
          code: 'E_STREAM_RESET',
          cause: 'The holder ended the shard stream.',
          fix: 'The holder may be stopping; try again, or let another holder serve.',
          retryable: true,
        }),
        true,
      )
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Takes one frame or one piece of a shard; false when more bytes are needed. */
  #step(parser: FrameParser): boolean {
    if (this.#body === undefined) {
      const frame = parser.takeFrame()
      if (frame === undefined) return false
      const response = decodeMessage(ShardResponseSchema, frame, MAX_SHARD_MESSAGE)
      const entry = this.#pending.shift()
      if (entry === undefined) throw violation('it answered what was not asked')
      if (response.body.case !== 'data' || entry.name === undefined) {
        this.#settle(entry, response)
        return true
      }
      const length = dataLength(response.body.value.length)
      this.#body = { response, entry, at: 0, length }
      if (entry.target !== undefined && entry.target.length !== length) {
        entry.settle.reject(wrongLength(entry.name, entry.target.length, length))
        entry.target = undefined
      }
    }
    const body = this.#body
    if (body.at < body.length) {
      const raw = parser.takeRaw(body.length - body.at)
      if (raw === undefined) return false
      body.entry.target?.set(raw, body.at)
      body.at += raw.length
    }
    if (body.at === body.length) {
      this.#body = undefined
      this.#settle(body.entry, body.response)
    }
    return true
  }

  #settle(entry: Pending, response: ShardResponse): void {
    entry.target = undefined
    if (response.body.case === 'fault') entry.settle.reject(remoteFault(response.body.value, this.remote))
    else entry.settle.resolve(response)
  }

  /** Ends the stream and every call under way; the first reason stays. `ended`: the other side closed its half. */
  #fail(error: unknown, ended = false): WeftError {
    if (this.#failure !== undefined) return this.#failure
    this.#failure = toWeftError(error, {
      code: 'E_STREAM_RESET',
      cause: 'The shard stream broke.',
      fix: 'The connection to the holder was lost; try again.',
    })
    const entries = this.#pending.splice(0)
    if (this.#body !== undefined) entries.unshift(this.#body.entry)
    this.#body = undefined
    for (const entry of entries) {
      entry.target = undefined
      entry.settle.reject(this.#failure)
    }
    if (!ended || !this.#closing) this.#stream.abort(this.#failure)
    return this.#failure
  }
}

function messageName({ object, segment, index }: ShardName): { object: Uint8Array; segment: number; index: number } {
  return { object, segment, index }
}

function dataLength(length: bigint): number {
  if (length > BigInt(MAX_SHARD_LENGTH))
    throw violation(`it announced a shard of ${length} bytes; the limit is ${MAX_SHARD_LENGTH}`)
  return Number(length)
}

function wrongLength(name: ShardName, expected: number, got: number): WeftError {
  return new WeftError({
    code: 'E_SHARD_LENGTH',
    cause: `The holder has ${describeShard(name)} with ${got} bytes in place of ${expected}.`,
    fix: 'Nothing to do: the shard is taken from another holder.',
  })
}

function unexpected(response: ShardResponse, wanted: string): WeftError {
  return violation(`it answered '${response.body.case ?? 'nothing'}' where '${wanted}' was due`)
}

function violation(what: string): WeftError {
  return new WeftError({
    code: 'E_PROTOCOL',
    cause: `The holder broke the shard protocol: ${what}.`,
    fix: 'The holder has to speak docs/specs/shards.md; update the older of the two sides.',
  })
}
