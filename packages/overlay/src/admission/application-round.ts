import { type Clock, type Random, WeftError, shuffled } from '@weft/core'
import { type DidKey, type SigningKey, sealEnvelope } from '@weft/crypto'
import type { Signature } from '@weft/wire'
import type { Rpc } from '../rpc.ts'
import type { Term } from '../terms/term.ts'
import { ADMISSION_TIMEOUT_MS } from './admission-desk.ts'
import type { AdmissionProof } from './admission-proof.ts'
import { encodeApplication } from './application.ts'
import { validVotes } from './certificate.ts'
import { type Refusal, refusalOf } from './failed-attempt.ts'
import type { BurstResponder } from './measure/burst-responder.ts'
import { Shortfall, decodeShortfall } from './measure/shortfall.ts'
import type { Measured } from './measured-field.ts'
import type { ValidatorPatience } from './validator-patience.ts'

export interface ApplicationRoundInit {
  /** The body of the certificate that is asked for. */
  readonly bodyBytes: Uint8Array
  /** What it claims to reach. */
  readonly measured: Measured | undefined
  /** Whose validators are asked. */
  readonly term: Term
  readonly key: SigningKey
  /** What the policy of the network asks for. */
  readonly proof?: AdmissionProof | undefined
  readonly rpc: Pick<Rpc, 'call'>
  /** Takes part where validators measure its bandwidth. */
  readonly bursts: Pick<BurstResponder, 'expect'>
  readonly clock: Clock
  readonly random: Random
  readonly patience: ValidatorPatience
  /** Called after each answer while no quorum has voted. */
  readonly onAnswer: (votes: number, refusals: readonly Refusal[]) => void
}

type Vote = Omit<Signature, '$typeName'>

/** What validators answered. */
export interface Answers {
  readonly votes: readonly Vote[]
  readonly refusals: readonly Refusal[]
  /** Of each validator that voted (undefined) or measured: what it found where the claim does not hold. */
  readonly found: readonly (Measured | undefined)[]
}

/** Validators asked at once by a node that claims a bandwidth or a loss: the others do all else meanwhile. */
const ASKED_AT_ONCE = 6
/** ms from its challenge on for a validator that alone is asked to answer, until another is asked as well. */
const ALONE_MS = 8_000
/** ms for one validator to answer: its checks, and a wait for its turn. */
const APPLY_TIMEOUT_MS = 2 * ADMISSION_TIMEOUT_MS

/** One application: the same body for all validators of a term, each asked for its vote over it. */
export class ApplicationRound {
  readonly #init: ApplicationRoundInit
  readonly #votes: Vote[] = []
  readonly #refusals: Refusal[] = []
  readonly #found: (Measured | undefined)[] = []
  readonly #enough = Promise.withResolvers<void>()

  constructor(init: ApplicationRoundInit) {
    this.#init = init
  }

  /** Ends as soon as a quorum voted or cannot be had any more. */
  async ask(signal: AbortSignal): Promise<Answers> {
    await Promise.race([this.#enough.promise, this.#askAll(signal)])
    return { votes: [...this.#votes], refusals: [...this.#refusals], found: [...this.#found] }
  }

  get #isEnough(): boolean {
    return this.#votes.length >= this.#init.term.quorum
  }

  async #askAll(signal: AbortSignal): Promise<void> {
    const { term, measured, random, patience } = this.#init
    const ids = term.validators.map(({ id }) => id)
    const [isTimed, isCounted] = [measured?.bandwidthMbps !== undefined, measured?.lossPpm !== undefined]
    if (!isTimed && !isCounted) return void (await Promise.all(ids.map((id) => this.#ask(id, signal))))
    // Few at a time and in an order that nobody knows, as they measure one line; a burst would look like loss to another.
    const atOnce = isTimed && isCounted ? 1 : ASKED_AT_ONCE
    const asked: Promise<void>[] = []
    for (const group of patience.inOrder(ids)) {
      const waiting = shuffled(random, group).values()
      const askNext = async (): Promise<void> => {
        for (const id of waiting) {
          if (this.#isEnough) return
          const answer = this.#ask(id, signal)
          asked.push(answer)
          await patience.whileBusy(id, answer, atOnce === 1 ? ALONE_MS : ADMISSION_TIMEOUT_MS, signal)
        }
      }
      await Promise.all(Array.from({ length: atOnce }, askNext))
    }
    // Who was given up may still answer.
    await Promise.all(asked)
  }

  /** Never rejects: what went wrong is a refusal. */
  async #ask(validator: DidKey, signal: AbortSignal): Promise<void> {
    const { key, bodyBytes, onAnswer } = this.#init
    try {
      const isItself = validator === key.id
      const own = (): Vote => ({ signer: key.publicKey, signature: key.sign('vote', bodyBytes) })
      this.#votes.push(isItself ? own() : await this.#vote(validator, signal))
      this.#found.push(undefined)
    } catch (error) {
      if (error instanceof Shortfall) this.#found.push(error.figures)
      this.#refusals.push(refusalOf(validator, error))
    }
    if (this.#isEnough) this.#enough.resolve()
    else if (!signal.aborted) onAnswer(this.#votes.length, this.#refusals)
  }

  async #vote(validator: DidKey, signal: AbortSignal): Promise<Vote> {
    const { bodyBytes, measured, term, key, proof, rpc, bursts, clock, random, patience } = this.#init
    // A nonce of its own for each validator, so that none can take another's turn to measure, and nobody else pass for it.
    const nonce = random.bytes(16)
    patience.applied(validator, nonce)
    const payload = encodeApplication({ bodyBytes, time: clock.now(), nonce, proof })
    const application = sealEnvelope('application', payload, key)
    const end = measured?.bandwidthMbps === undefined ? (): number => 0 : bursts.expect(nonce)
    let isVote = false
    try {
      const limits = { signal, timeoutMs: APPLY_TIMEOUT_MS }
      const answer = await rpc.call(validator, 'admission.apply', { application }, limits)
      if (answer.shortfall.length > 0 && measured !== undefined)
        throw new Shortfall(measured, decodeShortfall(answer.shortfall, measured))
      isVote = answer.vote !== undefined && validVotes(term, 'vote', bodyBytes, [answer.vote]).length === 1
      if (isVote && answer.vote !== undefined) return answer.vote
    } finally {
      patience.answered(validator, isVote, end())
    }
    throw new WeftError({
      code: 'E_SIGNATURE_INVALID',
      cause: 'Its vote is not a valid signature.',
      fix: 'Its operator has to update it.',
    })
  }
}
