import { type Clock, type Logger, type Random, WeftError, isWeftError, messageOf, randomInt, wait } from '@weft/core'
import { type DidKey, type SigningKey, shortId } from '@weft/crypto'
import { LeaseSchema, type Signature, create } from '@weft/wire'
import { validVotes } from '../admission/certificate.ts'
import { epochAt } from '../network/epoch.ts'
import type { Network } from '../network/network.ts'
import type { LeaseState, ValidatorFault } from '../overlay.ts'
import type { Rpc } from '../rpc.ts'
import type { Term } from '../terms/term.ts'
import { type LeaseUse, encodeLeaseBody } from './lease-body.ts'
import { type VerifiedLease, leaseEnd, toWireLease, verifyLease } from './lease.ts'

export interface LeaseHolderInit {
  readonly network: Network
  readonly key: SigningKey
  /** What this client lends; at least one. */
  readonly uses: readonly LeaseUse[]
  readonly rpc: Pick<Rpc, 'call'>
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Called at every change of what `state()` returns. */
  readonly onState: () => void
}

/** ms until the first retry; doubles up to the longest, each with up to half of it added at random. */
const FIRST_RETRY_MS = 1_000
const LONGEST_RETRY_MS = 60_000
/** ms between looks for validators that have not got the lease. */
const SUBMIT_EVERY_MS = 30_000
/** ms for one validator to answer, its round trip to this node included. */
const ASK_TIMEOUT_MS = 10_000

/** A client's side of leases: asks every validator, shows them what a quorum voted for, and renews it before it ends. */
export class LeaseHolder {
  readonly #init: LeaseHolderInit
  readonly #since: number
  #lease: VerifiedLease | undefined
  #votes = 0
  #faults: readonly ValidatorFault[] = []
  /** Validators that have the current lease. */
  readonly #informed = new Set<DidKey>()

  constructor(init: LeaseHolderInit) {
    this.#init = init
    this.#since = init.clock.now()
  }

  /** Held while a lease is in force, also while it is renewed. */
  state(): LeaseState {
    const { clock, network } = this.#init
    if (this.#lease !== undefined && this.#lease.body.expiresAt > clock.now()) {
      const { uses, issuedEpoch, expiresAt } = this.#lease.body
      return { state: 'held', uses, issuedEpoch, expiresAt, listedBy: this.#informed.size }
    }
    return { state: 'asking', since: this.#since, votes: this.#votes, quorum: network.quorum, faults: this.#faults }
  }

  /** Asks, shows and renews until the signal fires. @throws WeftError E_ABORTED */
  async run(signal: AbortSignal): Promise<never> {
    for (;;) {
      this.#lease = await this.#askUntilHeld(signal)
      this.#informed.clear()
      this.#init.onState()
      await this.#showUntilRenewal(this.#lease, signal)
    }
  }

  async #askUntilHeld(signal: AbortSignal): Promise<VerifiedLease> {
    const { clock, random } = this.#init
    for (let pause = FIRST_RETRY_MS; ; pause = Math.min(2 * pause, LONGEST_RETRY_MS)) {
      const lease = await this.#ask(signal)
      if (lease !== undefined) return lease
      await wait(clock, pause + randomInt(random, pause / 2), signal)
    }
  }

  /** Asks every validator at once; done with a quorum of votes, or when all have answered. */
  async #ask(signal: AbortSignal): Promise<VerifiedLease | undefined> {
    const { network, key, uses, clock } = this.#init
    const issuedEpoch = Math.max(0, epochAt(network.file, clock.now()))
    const expiresAt = leaseEnd(network, issuedEpoch)
    const term = network.termAt(issuedEpoch)
    const body = encodeLeaseBody({ network: network.id, key: key.publicKey, uses, issuedEpoch, expiresAt })
    const votes: Signature[] = []
    const faults: ValidatorFault[] = []
    const { promise: enough, resolve } = Promise.withResolvers<void>()
    const ask = async (validator: DidKey): Promise<void> => {
      try {
        votes.push(await this.#voteOf(validator, term, body, signal))
      } catch (error) {
        faults.push(faultOf(validator, error))
      }
      if (votes.length >= term.quorum) resolve()
    }
    await Promise.race([enough, Promise.all(term.validators.map(({ id }) => ask(id)))])
    this.#votes = votes.length
    this.#faults = faults
    if (votes.length < term.quorum) {
      this.#init.onState()
      return undefined
    }
    try {
      return verifyLease(network, create(LeaseSchema, { body, votes: [...votes] }))
    } catch (error) {
      // While they were asked this node learnt that others have their seats in this epoch.
      if (isWeftError(error, 'E_LEASE_QUORUM')) return undefined
      throw error
    }
  }

  async #voteOf(validator: DidKey, term: Term, body: Uint8Array, signal: AbortSignal): Promise<Signature> {
    const { rpc, clock } = this.#init
    const request = { body, time: BigInt(clock.now()) }
    const { vote } = await rpc.call(validator, 'lease.ask', request, { signal, timeoutMs: ASK_TIMEOUT_MS })
    if (vote !== undefined && validVotes(term, 'lease', body, [vote]).length === 1) return vote
    throw new WeftError({
      code: 'E_SIGNATURE_INVALID',
      cause: 'Its vote is not a valid signature.',
      fix: 'Its operator has to update it.',
    })
  }

  /** Until a random moment in the middle third of its life; validators that take their seats meanwhile are shown it, too. */
  async #showUntilRenewal({ body, ...lease }: VerifiedLease, signal: AbortSignal): Promise<void> {
    const { network, clock, random, rpc, logger } = this.#init
    const third = Math.floor((body.expiresAt - clock.now()) / 3)
    const renewal = clock.now() + third + randomInt(random, Math.max(1, third))
    const message = toWireLease(lease)
    for (;;) {
      const missing = network.validators.filter(({ id }) => !this.#informed.has(id))
      await Promise.all(
        missing.map(async ({ id }) => {
          try {
            await rpc.call(id, 'lease.submit', { lease: message }, { signal })
            this.#informed.add(id)
          } catch (error) {
            if (!signal.aborted) logger.debug('lease not shown', { validator: shortId(id), error: messageOf(error) })
          }
        }),
      )
      if (missing.some(({ id }) => this.#informed.has(id))) this.#init.onState()
      const left = renewal - clock.now()
      if (left <= 0) return
      await wait(clock, Math.min(SUBMIT_EVERY_MS, left), signal)
    }
  }
}

function faultOf(validator: DidKey, error: unknown): ValidatorFault {
  if (error instanceof WeftError) return { validator, code: error.code, cause: error.cause, fix: error.fix }
  return {
    validator,
    code: 'E_INTERNAL',
    cause: 'The validator could not be asked.',
    fix: 'Nothing to do: the node asks again by itself.',
  }
}
