import type { Clock } from '@weft/core'
import { SessionCode, type SessionStream } from '@weft/onion'
import type { ExitPolicy } from '../exit/exit-policy.ts'
import type { NameResolver } from '../exit/name-resolver.ts'
import { SessionShares } from '../exit/session-shares.ts'
import { codeOfResolve } from '../exit/target-codes.ts'
import { connectTime } from './connect-time.ts'
import type { DialTurns } from './dial-turns.ts'

export interface ExitMeasuresInit {
  readonly clock: Clock
  readonly policy: Pick<ExitPolicy, 'refusal'>
  readonly resolver: Pick<NameResolver, 'resolve'>
  /** Of connections that clients ask for: each try takes one. */
  readonly turns: DialTurns
}

/** At once, of all sessions; of one an eighth of what is free, at least one. */
const MAX_AT_ONCE = 64
/** Connections to one target, one after the other: the least time is the way's, what others took longer is waiting somewhere. */
const TRIES = 3
/** ms from an OPEN to its answer, as for connections (DIAL_MS of exit-service.ts). */
const ANSWER_MS = 3_800

/** How far targets are from this exit, measured for its clients (docs/specs/session.md, Ways to targets). Nothing is kept: an answer would tell one client what another asked. */
export class ExitMeasures {
  readonly #init: ExitMeasuresInit
  readonly #shares = new SessionShares(MAX_AT_ONCE)

  constructor(init: ExitMeasuresInit) {
    this.#init = init
  }

  /** Those that run. */
  get size(): number {
    return this.#shares.used
  }

  /** @param session whose stream it is */
  take(stream: SessionStream, session: object, wake: () => void): void {
    if (!this.#shares.take(session)) {
      stream.refuse(SessionCode.limit)
      wake()
      return
    }
    new WayMeasure(this.#init, stream, session, () => {
      this.#shares.give(session)
      wake()
    }).begin()
  }
}

/** One target for one client. */
class WayMeasure {
  readonly #init: ExitMeasuresInit
  readonly #stream: SessionStream
  readonly #session: object
  readonly #onOver: () => void
  /** Monotonic ms. */
  readonly #until: number
  #isOver = false
  #address = ''
  #tries = 0
  #leastMs = Infinity
  /** Gives up what waits for its turn; and what is being connected. */
  #leave = (): void => {}
  #abort = (): void => {}

  /** @param onOver called once: it was answered, or the stream is over */
  constructor(init: ExitMeasuresInit, stream: SessionStream, session: object, onOver: () => void) {
    this.#init = init
    this.#stream = stream
    this.#session = session
    this.#onOver = onOver
    this.#until = init.clock.monotonic() + ANSWER_MS
  }

  begin(): void {
    this.#stream.handler = { onReset: () => this.#end() }
    this.#inTurn(() => void this.#resolve())
  }

  #inTurn(go: () => void): void {
    this.#leave = this.#init.turns.take(this.#session, go, () => this.#failed(SessionCode.limit))
  }

  async #resolve(): Promise<void> {
    const { policy, resolver } = this.#init
    const { host = '', port = 0 } = this.#stream.target ?? {}
    try {
      this.#address = await resolver.resolve(host, this.#session)
    } catch (error) {
      this.#failed(codeOfResolve(error))
      return
    }
    if (this.#isOver) return
    if (policy.refusal(this.#address, port) === undefined) this.#connect()
    else this.#failed(SessionCode.policy)
  }

  #connect(): void {
    const { clock } = this.#init
    // One that takes longer than another did tells nothing.
    const timeoutMs = Math.min(this.#until - clock.monotonic(), this.#leastMs)
    if (timeoutMs <= 0) return this.#failed(SessionCode.timedOut)
    this.#abort = connectTime({
      clock,
      address: this.#address,
      port: this.#stream.target?.port ?? 0,
      timeoutMs,
      onConnected: (ms) => {
        this.#leastMs = Math.min(this.#leastMs, ms)
        if (++this.#tries < TRIES) this.#inTurn(() => this.#connect())
        else this.#answer()
      },
      onFailed: (code) => this.#failed(code),
    })
  }

  /** What was measured before stands. */
  #failed(code: number): void {
    if (this.#isOver) return
    if (this.#tries > 0) return this.#answer()
    this.#stream.refuse(code)
    this.#end()
  }

  #answer(): void {
    const us = new Uint8Array(4)
    new DataView(us.buffer).setUint32(0, Math.round(this.#leastMs * 1_000))
    this.#stream.accept(this.#address)
    // What the client sends is nothing that anybody would read.
    this.#stream.handler = { onData: () => this.#stream.reset(SessionCode.violation) }
    this.#stream.write(us)
    this.#stream.end()
    this.#end()
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#leave()
    this.#abort()
    this.#onOver()
  }
}
