import { type Socket, connect } from 'node:net'
import type { Clock } from '@weft/core'
import { SessionCode, type SessionStream } from '@weft/onion'
import { codeOfSystem } from '../exit/target-codes.ts'
import { CHUNK } from './chunk-pool.ts'
import { cutOff } from './cut-off.ts'
import type { FlushQueue } from './flush-queue.ts'
import { SocketPipe } from './socket-pipe.ts'

/** A stream that is to be joined with a TCP connection. */
export interface Dial {
  readonly stream: SessionStream
  /** The session has something to send. */
  readonly wake: () => void
  /** A literal that whoever asks has judged. */
  readonly address: string
  readonly port: number
  readonly timeoutMs: number
  /** What the client is told of the address. */
  readonly told: string
  readonly onOpened?: () => void
  /** It was not reached, for `code` of SessionCode; the stream is as it was. */
  readonly onFailed: (code: number) => void
  /** The connection, or the attempt, is over. Called once. */
  readonly onOver?: () => void
}

/**
 * Connections to targets at once: as many as the memory of all sessions has streams (12 MiB at 6 KiB each). A connection may outlast
 * its stream, until the system has closed it, so the streams alone are no bound.
 */
const MAX_CONNECTIONS = 2_048
/** Into which all connections of this thread are read: what came is copied before the next read. */
const reading = Buffer.allocUnsafeSlow(CHUNK)
/** ms after which a connection that carried nothing is ended; they are looked at so often, all together. */
const IDLE_MS = 15 * 60_000
const SWEEP_MS = 60_000

/** What a connection had carried when it was last seen to carry anything, and when that was, monotonic ms. */
interface Seen {
  carried: number
  at: number
}

/** The TCP connections that a last hop has for its clients. */
export class TargetSockets {
  readonly #clock: Clock
  readonly #queue: FlushQueue
  readonly #sockets = new Set<Socket>()
  /** Those that are connected. */
  readonly #pipes = new Map<SocketPipe, Seen>()
  #cancelSweep: (() => void) | undefined

  constructor(clock: Clock, queue: FlushQueue) {
    this.#clock = clock
    this.#queue = queue
  }

  get size(): number {
    return this.#sockets.size
  }

  /** Part of those that there may be. */
  get fill(): number {
    return this.#sockets.size / MAX_CONNECTIONS
  }

  get isFull(): boolean {
    return this.fill >= 1
  }

  /** Connects, and joins both; the client is told once that is done. */
  dial({ stream, wake, address, port, timeoutMs, told, onOpened, onFailed, onOver }: Dial): void {
    let pipe: SocketPipe | undefined
    const socket = connect({
      host: address,
      port,
      allowHalfOpen: true,
      noDelay: true,
      onread: {
        buffer: reading,
        callback: (length) => {
          pipe?.send(reading.subarray(0, length))
          return true
        },
      },
    })
    this.#sockets.add(socket)
    const forget = (): void => {
      if (this.#sockets.delete(socket)) onOver?.()
    }
    const fail = (code: number): void => {
      cancel()
      socket.destroy()
      forget()
      onFailed(code)
    }
    const cancel = this.#clock.after(timeoutMs, () => fail(SessionCode.timedOut))
    const onError = (error: NodeJS.ErrnoException): void => fail(codeOfSystem(error.code))
    socket.once('error', onError)
    stream.handler = {
      onReset: () => {
        cancel()
        socket.off('error', onError)
        socket.on('error', () => {})
        socket.destroy()
        forget()
      },
    }
    socket.once('connect', () => {
      cancel()
      socket.off('error', onError)
      // Node ignores what a rebinding name server says later: this is the address that policy judged.
      const joined = new SocketPipe(socket, stream, this.#queue, wake, () => {
        forget()
        this.#pipes.delete(joined)
      })
      pipe = joined
      this.#pipes.set(joined, { carried: joined.carried, at: this.#clock.monotonic() })
      this.#sweepLater()
      stream.accept(told)
      joined.begin()
      onOpened?.()
      this.#queue.mark(joined)
      wake()
    })
  }

  /** Breaks off what its sessions, which are to be closed before, have left. */
  close(): void {
    this.#cancelSweep?.()
    this.#cancelSweep = undefined
    for (const socket of this.#sockets) cutOff(socket)
  }

  #sweepLater(): void {
    this.#cancelSweep ??= this.#clock.after(SWEEP_MS, () => {
      this.#cancelSweep = undefined
      this.#sweep()
      if (this.#pipes.size > 0) this.#sweepLater()
    })
  }

  /** Ends connections that carry nothing: what a client forgot, or holds to keep others out. */
  #sweep(): void {
    const now = this.#clock.monotonic()
    for (const [pipe, seen] of this.#pipes) {
      if (pipe.carried !== seen.carried) {
        seen.carried = pipe.carried
        seen.at = now
      } else if (now - seen.at >= IDLE_MS) pipe.abort(SessionCode.timedOut)
    }
  }
}
