import { type Clock, WeftError, toHex } from '@weft/core'
import { type DidKey, type SignedEnvelope, toDidKey } from '@weft/crypto'
import { RateLimiter } from '../transport/rate-limiter.ts'
import type { Testimony } from './evidence.ts'
import type { Statements } from './gossip-queue.ts'
import {
  ALIVE_AHEAD_MS,
  MAX_STATEMENTS,
  OBSERVER_RATE,
  SENDER_RATE,
  SUSPICION_AHEAD_MS,
  SUSPICION_LIFE_MS,
} from './liveness-limits.ts'
import type { ObserverPlace } from './observer-place.ts'
import { type SignOfLife, decodeSignOfLife } from './sign-of-life.ts'
import type { StatementSignatures } from './statement-signatures.ts'
import { decodeSuspicion } from './suspicion.ts'

/** What a message brought that is new, within all limits, and truly signed. */
export type Heard =
  | { readonly kind: 'alive'; readonly id: DidKey; readonly incarnation: number; readonly envelope: SignedEnvelope }
  | { readonly kind: 'suspicion'; readonly accused: DidKey; readonly testimony: Testimony }
  /** Somebody suspects this node. */
  | { readonly kind: 'accusation'; readonly incarnation: number }

/** What the receiver has use for; asked before a signature is verified. */
export interface StatementInterest {
  /** A sign of life of this incarnation would be news. */
  wantsAlive(id: DidKey, incarnation: number): boolean
  wantsSuspicion(accused: DidKey, testimony: Testimony): boolean
  wantsAccusation(incarnation: number): boolean
}

export interface StatementIntakeInit {
  readonly network: string
  readonly self: DidKey
  readonly signatures: StatementSignatures
  readonly clock: Clock
  /** Undefined for a node that is no member: it is no observer. */
  readonly placeOf: (id: DidKey) => ObserverPlace | undefined
}

/** Signatures that are remembered. */
const MAX_SEEN = 1_024

/** Reads the statements of others: parses within limits, passes over what nobody needs, and verifies no more than the rates allow. */
export class StatementIntake {
  readonly #init: StatementIntakeInit
  readonly #senders: RateLimiter
  readonly #observers: RateLimiter
  /** Signatures of what was believed lately, the oldest first: gossip brings everything several times. */
  readonly #seen = new Set<string>()

  constructor(init: StatementIntakeInit) {
    this.#init = init
    this.#senders = new RateLimiter(init.clock, () => SENDER_RATE)
    this.#observers = new RateLimiter(init.clock, () => OBSERVER_RATE)
  }

  /**
   * What is new in a message, in its order. What is old, unwanted, over a rate or falsely signed is passed over.
   * @throws WeftError E_LIVENESS_MALFORMED: nobody passes on what it cannot read
   */
  read(from: DidKey, { alive, suspicions }: Statements, interest: StatementInterest): Heard[] {
    const count = alive.length + suspicions.length
    if (count === 0) return []
    if (count > MAX_STATEMENTS) throw malformed(`it carries ${count} statements; the limit is ${MAX_STATEMENTS}`)
    const heard: (Heard | undefined)[] = [
      ...alive.map((envelope) => this.#alive(from, envelope, interest)),
      ...suspicions.map((envelope) => this.#suspicion(from, envelope, interest)),
    ]
    return heard.filter((one) => one !== undefined)
  }

  /** The incarnation in a proof of life, when it is the node's own and over the nonce; undefined when it proves nothing. */
  proof(from: DidKey, id: DidKey, nonce: Uint8Array, envelope: SignedEnvelope): number | undefined {
    if (signerOf(envelope) !== id) return undefined
    const life = this.#life(envelope)
    if (Buffer.compare(life.nonce, nonce) !== 0 || this.#isAhead(life.incarnation, ALIVE_AHEAD_MS)) return undefined
    return this.#verified(from, 'alive', envelope) ? life.incarnation : undefined
  }

  /** A helper's own suspicion of the node that it was asked to look at; undefined when it is none. */
  testimony(helper: DidKey, accused: DidKey, envelope: SignedEnvelope): Testimony | undefined {
    if (signerOf(envelope) !== helper) return undefined
    const read = this.#readSuspicion(envelope)
    if (read?.accused !== accused || !this.#verified(helper, 'suspicion', envelope)) return undefined
    return read.testimony
  }

  /** An incarnation as a node itself told it over its own channel; 0 for one that nobody should believe. */
  told(incarnation: number): number {
    return this.#isAhead(incarnation, ALIVE_AHEAD_MS) ? 0 : incarnation
  }

  #alive(from: DidKey, envelope: SignedEnvelope, interest: StatementInterest): Heard | undefined {
    if (this.#isSeen(envelope)) return undefined
    const id = signerOf(envelope)
    const { incarnation } = this.#life(envelope)
    if (!interest.wantsAlive(id, incarnation) || this.#isAhead(incarnation, ALIVE_AHEAD_MS)) return undefined
    if (!this.#verified(from, 'alive', envelope)) return undefined
    this.#note(envelope)
    return { kind: 'alive', id, incarnation, envelope }
  }

  #suspicion(from: DidKey, envelope: SignedEnvelope, interest: StatementInterest): Heard | undefined {
    if (this.#isSeen(envelope)) return undefined
    const read = this.#readSuspicion(envelope)
    if (read === undefined) return undefined
    const { accused, testimony } = read
    const { observer, suspicion } = testimony
    const own = accused === this.#init.self
    const wanted = own ? interest.wantsAccusation(suspicion.incarnation) : interest.wantsSuspicion(accused, testimony)
    if (!wanted || !this.#verified(from, 'suspicion', envelope)) return undefined
    // After the signature: nobody else can use up what an observer may say.
    if (!this.#observers.take(observer, 1)) return undefined
    this.#note(envelope)
    return own ? { kind: 'accusation', incarnation: suspicion.incarnation } : { kind: 'suspicion', accused, testimony }
  }

  #readSuspicion(envelope: SignedEnvelope): { accused: DidKey; testimony: Testimony } | undefined {
    const observer = signerOf(envelope)
    const suspicion = decodeSuspicion(envelope.payload)
    this.#checkNetwork(suspicion.network)
    const accused = toDidKey(suspicion.accused)
    const place = this.#init.placeOf(observer)
    if (place === undefined || observer === accused || observer === this.#init.self) return undefined
    if (Math.abs(this.#init.clock.now() - suspicion.at) > SUSPICION_LIFE_MS) return undefined
    if (this.#isAhead(suspicion.incarnation, SUSPICION_AHEAD_MS)) return undefined
    return { accused, testimony: { observer, place, suspicion, envelope } }
  }

  #life(envelope: SignedEnvelope): SignOfLife {
    const life = decodeSignOfLife(envelope.payload)
    this.#checkNetwork(life.network)
    return life
  }

  #verified(from: DidKey, purpose: 'alive' | 'suspicion', envelope: SignedEnvelope): boolean {
    return this.#senders.take(from, 1) && this.#init.signatures.verify(purpose, envelope)
  }

  #isSeen({ signature }: SignedEnvelope): boolean {
    return this.#seen.size > 0 && this.#seen.has(toHex(signature))
  }

  #note({ signature }: SignedEnvelope): void {
    this.#seen.add(toHex(signature))
    const [oldest] = this.#seen
    if (this.#seen.size > MAX_SEEN && oldest !== undefined) this.#seen.delete(oldest)
  }

  #isAhead(incarnation: number, ms: number): boolean {
    return incarnation > this.#init.clock.now() + ms
  }

  #checkNetwork(network: string): void {
    if (network !== this.#init.network) throw malformed('a statement in it is of another network')
  }
}

/** @throws WeftError E_LIVENESS_MALFORMED */
function signerOf({ signer, signature }: SignedEnvelope): DidKey {
  if (signer.length !== 32 || signature.length !== 64) throw malformed('a signer or signature has not its length')
  return toDidKey(signer)
}

function malformed(why: string): WeftError {
  return new WeftError({
    code: 'E_LIVENESS_MALFORMED',
    cause: `A message of the failure detection cannot be used: ${why}.`,
    fix: 'The node that sent it has to follow docs/specs/liveness.md; update the older of the two sides.',
  })
}
