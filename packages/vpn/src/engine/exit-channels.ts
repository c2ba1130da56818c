import type { Clock } from '@weft/core'
import { SessionCode, type SessionStream } from '@weft/onion'
import { ExitChannel, MAPPING_MS } from '../exit/exit-channel.ts'
import type { ExitPolicy } from '../exit/exit-policy.ts'
import type { NameResolver } from '../exit/name-resolver.ts'
import { SessionShares } from '../exit/session-shares.ts'

export interface ExitChannelsInit {
  readonly policy: ExitPolicy
  readonly resolver: NameResolver
  readonly clock: Clock
  /** Calls `go` when a session may have a name looked up, or `refuse`. */
  readonly ask: (session: object, go: () => void, refuse: () => void) => void
}

/** UDP sockets of an exit. Channels that have none yet are as many as its memory has streams; each session has an eighth of what is free of both. */
const MAX_SOCKETS = 1_024
/** ms after which a channel by which nothing was sent is ended: the next datagram opens another. */
const SILENT_MS = 10_000
/** Bytes that wait for names, of all channels together. */
const MAX_WAITING_BYTES = 2 * 1024 * 1024
/** ms between looks for channels that carry nothing. */
const SWEEP_MS = 60_000

interface Open {
  readonly channel: ExitChannel
  readonly stream: SessionStream
  readonly session: object
  readonly wake: () => void
  readonly cancelSilent: () => void
}

/** The channels that clients have at this exit. */
export class ExitChannels {
  readonly #init: ExitChannelsInit
  readonly #open = new Map<SessionStream, Open>()
  readonly #ofSession = new Map<object, number>()
  readonly #sockets = new SessionShares(MAX_SOCKETS)
  #waitingBytes = 0
  #cancelSweep: (() => void) | undefined

  constructor(init: ExitChannelsInit) {
    this.#init = init
  }

  get size(): number {
    return this.#open.size
  }

  /** @param session whose channels are counted together */
  take(stream: SessionStream, session: object, wake: () => void): void {
    const { channel } = stream
    const held = this.#ofSession.get(session) ?? 0
    // Each of the session's channels will want a socket as soon as it has something to send; those of others have theirs by then, or not.
    if (channel === undefined || !this.#sockets.hasRoom(session, held)) {
      stream.refuse(SessionCode.limit)
      wake()
      return
    }
    const end = (code: number): void => {
      this.#forget(stream)
      stream.reset(code)
      wake()
    }
    const exitChannel = new ExitChannel({
      ...this.#init,
      channel,
      session,
      ask: (go, refuse) => this.#init.ask(session, go, refuse),
      takeSocket: () => this.#sockets.take(session),
      giveSocket: () => this.#sockets.give(session),
      takeWaiting: (bytes) => {
        if (this.#waitingBytes + bytes > MAX_WAITING_BYTES) return false
        this.#waitingBytes += bytes
        return true
      },
      giveWaiting: (bytes) => (this.#waitingBytes -= bytes),
      wake,
      onBroken: end,
    })
    const cancelSilent = this.#init.clock.after(SILENT_MS, () => {
      if (!exitChannel.hasSent) end(SessionCode.timedOut)
    })
    this.#open.set(stream, { channel: exitChannel, stream, session, wake, cancelSilent })
    this.#ofSession.set(session, held + 1)
    stream.handler = {
      onReset: () => this.#forget(stream),
      // A client that sends no more has no use for replies.
      onEnd: () => end(SessionCode.none),
    }
    // Nobody is told where the exit stands.
    stream.accept('0.0.0.0')
    this.#sweepLater()
    wake()
  }

  close(): void {
    this.#cancelSweep?.()
    this.#cancelSweep = undefined
    for (const stream of this.#open.keys()) this.#forget(stream)
  }

  #forget(stream: SessionStream): void {
    const open = this.#open.get(stream)
    if (open === undefined) return
    this.#open.delete(stream)
    const left = (this.#ofSession.get(open.session) ?? 1) - 1
    if (left === 0) this.#ofSession.delete(open.session)
    else this.#ofSession.set(open.session, left)
    open.cancelSilent()
    open.channel.close()
  }

  #sweepLater(): void {
    this.#cancelSweep ??= this.#init.clock.after(SWEEP_MS, () => {
      this.#cancelSweep = undefined
      const now = this.#init.clock.monotonic()
      for (const { channel, stream, wake } of this.#open.values()) {
        if (now - channel.sentAt < MAPPING_MS) continue
        this.#forget(stream)
        stream.reset(SessionCode.timedOut)
        wake()
      }
      if (this.#open.size > 0) this.#sweepLater()
    })
  }
}
