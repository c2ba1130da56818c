import { type Clock, type Logger, type Random, WeftError, isWeftError, messageOf } from '@weft/core'
import { type DidKey, type SigningKey, fromDidKey, toDidKey } from '@weft/crypto'
import type { LivenessAskRequest } from '@weft/wire'
import type { Membership } from '../member.ts'
import type { Caller, ResponseInitOf, Rpc } from '../rpc.ts'
import { RateLimiter } from '../transport/rate-limiter.ts'
import type { Transport } from '../transport/transport.ts'
import type { Statements } from './gossip-queue.ts'
import { Liveness } from './liveness.ts'
import type { LivenessAction, StandingChange } from './liveness-action.ts'
import { LOOK_MS, LOOK_RATE, NONCE_LENGTH, STALL_MS } from './liveness-limits.ts'
import type { MayWatch } from './neighbourhood.ts'
import { observerPlace } from './observer-place.ts'
import { SilenceMemory } from './silence-memory.ts'
import { statementSignatures } from './statement-signatures.ts'
import type { WatchMode } from './watch-mode.ts'

export interface LivenessServiceInit {
  readonly key: SigningKey
  readonly membership: Membership
  readonly transport: Pick<Transport, 'ping'> & Rpc
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** A neighbour answered a probe after so many ms. */
  readonly onAnswer: (id: DidKey, rttMs: number) => void
  readonly onStanding: (change: StandingChange) => void
}

/** ms that a probe is waited for. Far longer than its silence counts: an answer that comes late is a sign of life. */
const PROBE_CALL_MS = 10_000

/** Runs the failure detection over the calls `liveness.ping` and `liveness.ask`, on this node's clock. */
export class LivenessService {
  readonly #init: LivenessServiceInit
  readonly #liveness: Liveness
  readonly #looks: RateLimiter
  readonly #silences = new SilenceMemory()
  #mode: WatchMode = 'alone'
  #signal: AbortSignal | undefined
  #cancel = (): void => {}
  /** When the timer of the next tick is due, ms of the monotonic clock; undefined while there is none. */
  #due: number | undefined

  /** Registers its calls at once. */
  constructor(init: LivenessServiceInit) {
    const { key, membership, transport, clock, random } = init
    this.#init = init
    this.#liveness = new Liveness({
      network: membership.networkId,
      self: key.id,
      signatures: statementSignatures(key),
      clock,
      random,
      placeOf: (id) => {
        const member = membership.member(id)
        return member === undefined ? undefined : observerPlace(member)
      },
    })
    this.#looks = new RateLimiter(clock, () => LOOK_RATE)
    transport.handle('liveness.ping', async ({ alive, suspicions, nonce }, caller) => {
      this.#silences.forget(caller.id)
      const { incarnation, statements, proof } = this.#liveness.probed(caller.id, { alive, suspicions }, nonce)
      this.#perform(this.#liveness.take())
      return { incarnation: BigInt(incarnation), ...toWire(statements), ...(proof !== undefined && { proof }) }
    })
    transport.handle('liveness.ask', (request, caller, signal) => this.#look(request, caller, signal))
  }

  /** Neighbours that are down as several observers of distinct families and networks see it. */
  get down(): ReadonlySet<DidKey> {
    return this.#liveness.down
  }

  /** Watches until the signal fires. */
  start(signal: AbortSignal): void {
    this.#signal = signal
    signal.addEventListener('abort', () => this.#cancel(), { once: true })
    this.#schedule()
  }

  /** As `Liveness.watch`. */
  watch(ids: ReadonlySet<DidKey>, mode: WatchMode, mayWatch?: MayWatch): void {
    this.#mode = mode
    this.#liveness.watch(ids, mode, mayWatch)
    this.#schedule()
  }

  connected(id: DidKey): void {
    this.#silences.forget(id)
    this.#perform(this.#liveness.connected(id))
  }

  lost(id: DidKey): void {
    this.#perform(this.#liveness.lost(id))
  }

  #schedule(): void {
    if (this.#signal === undefined || this.#signal.aborted) return
    const { clock } = this.#init
    const due = this.#liveness.nextTickAt()
    // Most messages only put it off; a tick that comes early finds nothing to do.
    if (this.#due !== undefined && this.#due <= due) return
    this.#due = due
    this.#cancel()
    // Whole ms, rounded up: of a time that is due in a fraction the clock may be short by its last digit, again and again.
    this.#cancel = clock.after(Math.ceil(Math.max(0, due - clock.monotonic())), () => {
      this.#due = undefined
      this.#perform(this.#liveness.tick())
    })
  }

  #perform(actions: readonly LivenessAction[]): void {
    if (this.#signal?.aborted === true) return
    for (const action of actions) {
      if (action.kind === 'standing') this.#init.onStanding(action)
      else if (action.kind === 'probe') void this.#probe(action.to, action.statements)
      else void this.#ask(action)
    }
    this.#schedule()
  }

  async #probe(to: DidKey, statements: Statements): Promise<void> {
    const { transport, clock, onAnswer, logger } = this.#init
    const start = clock.monotonic()
    try {
      if (this.#mode === 'alone') {
        const rttMs = await transport.ping(to, this.#signal)
        onAnswer(to, rttMs)
        return this.#perform(this.#liveness.answered(to, undefined))
      }
      const answer = await transport.call(to, 'liveness.ping', toWire(statements), this.#options(PROBE_CALL_MS))
      this.#silences.forget(to)
      onAnswer(to, clock.monotonic() - start)
      const { incarnation, alive, suspicions } = answer
      this.#perform(
        this.#liveness.answered(to, { incarnation: Number(incarnation), statements: { alive, suspicions } }),
      )
    } catch (error) {
      if (this.#signal?.aborted === true) return
      if (isFaultOf(error, to) || isWeftError(error, 'E_LIVENESS_MALFORMED')) {
        logger.debug('a neighbour answers a probe with a fault', { error: messageOf(error) })
        return this.#perform(this.#liveness.answered(to, undefined))
      }
      this.#perform(this.#liveness.failed(to))
    }
  }

  async #ask({ helper, target, nonce, incarnation }: Extract<LivenessAction, { kind: 'ask' }>): Promise<void> {
    const { transport } = this.#init
    const request = { target: fromDidKey(target), nonce, incarnation: BigInt(incarnation) }
    try {
      const { seen } = await transport.call(helper, 'liveness.ask', request, this.#options(PROBE_CALL_MS))
      const reply = seen.case === undefined ? {} : { [seen.case]: seen.value }
      this.#perform(this.#liveness.replied(helper, target, nonce, reply))
    } catch (error) {
      if (this.#signal?.aborted === true) return
      this.#init.logger.debug('a helper did not look at a silent node', { error: messageOf(error) })
    }
  }

  /** Looks at another node for a caller. @throws WeftError E_LIVENESS_MALFORMED, E_RATE_LIMITED */
  async #look(
    { target: key, nonce, incarnation }: LivenessAskRequest,
    caller: Caller,
    signal: AbortSignal,
  ): Promise<ResponseInitOf<'liveness.ask'>> {
    if (key.length !== 32 || nonce.length !== NONCE_LENGTH) throw malformedAsk()
    if (!this.#looks.take(caller.id, 1)) throw tooManyAsks()
    const target = toDidKey(key)
    const { transport, membership, clock, key: own } = this.#init
    if (!membership.isMember(target) || target === own.id || this.#mode === 'alone') return {}
    this.#liveness.asked(target)
    this.#schedule()
    const start = clock.monotonic()
    const known = this.#silences.get(target, incarnation, start)
    if (known !== undefined) return { seen: { case: 'silent', value: known } }
    try {
      const { proof } = await transport.call(target, 'liveness.ping', { nonce }, { signal, timeoutMs: LOOK_MS })
      return proof === undefined ? {} : { seen: { case: 'alive', value: proof } }
    } catch (error) {
      // A fault of its own is no silence; nor is what this node did not hear because it stood still.
      if (signal.aborted || isFaultOf(error, target) || clock.monotonic() - start > LOOK_MS + STALL_MS) return {}
      const suspicion = this.#liveness.suspicionOf(target, Number(incarnation))
      this.#silences.put(target, incarnation, suspicion, clock.monotonic())
      return { seen: { case: 'silent', value: suspicion } }
    }
  }

  #options(timeoutMs: number) {
    return { timeoutMs, ...(this.#signal !== undefined && { signal: this.#signal }) }
  }
}

function toWire({ alive, suspicions }: Statements) {
  return { alive: [...alive], suspicions: [...suspicions] }
}

/** True for what the other side answered with, whatever it is: it is there. */
function isFaultOf(error: unknown, id: DidKey): boolean {
  return error instanceof WeftError && error.details?.['from'] === id
}

function malformedAsk(): WeftError {
  return new WeftError({
    code: 'E_LIVENESS_MALFORMED',
    cause: 'A node to look at is named by 32 bytes, with 16 random ones for its proof.',
    fix: 'The caller has to follow docs/specs/liveness.md; update the older of the two sides.',
  })
}

function tooManyAsks(): WeftError {
  return new WeftError({
    code: 'E_RATE_LIMITED',
    cause: 'This caller has more nodes looked at than it may.',
    fix: 'Ask another member, or again in a second.',
    retryable: true,
  })
}
