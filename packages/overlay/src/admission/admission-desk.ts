import { type Clock, type Logger, type Random, WeftError, isWeftError, withTimeout } from '@weft/core'
import { type DidKey, type SigningKey, shortId } from '@weft/crypto'
import type { ApplyRequest, Signature } from '@weft/wire'
import type { InvitationSeats } from '../invitation/invitation-seats.ts'
import type { Network } from '../network/network.ts'
import type { Revocations } from '../revocation/revocations.ts'
import type { Caller, Rpc } from '../rpc.ts'
import { AddressLimiter } from './address-limiter.ts'
import { AddressTurns } from './address-turns.ts'
import type { AdmissionCase, AdmissionCheck } from './admission-check.ts'
import { decodeApplication } from './application.ts'
import { DialBack } from './dial-back.ts'
import type { DialHelp } from './dial-help.ts'
import type { Gauges } from './measure/gauges.ts'
import { Shortfall, encodeShortfall } from './measure/shortfall.ts'
import type { ConformanceProbe, Prober } from './probe.ts'
import type { StakeVerifier } from './stake-verifier.ts'

export interface AdmissionDeskInit {
  readonly network: Network
  readonly key: SigningKey
  readonly prober: Prober
  readonly help: Pick<DialHelp, 'look'>
  /** Whether a node holds a certificate now: its application is a renewal. */
  readonly isMember: (id: DidKey) => boolean
  /** The newest certificate of a node that is known and has not expired, revoked or not. */
  readonly certificate: (id: DidKey) => AdmissionCase['certificate']
  readonly beaconAfter: AdmissionCase['beaconAfter']
  /** Whether a node is certified as a relay that listens itself. */
  readonly isRelay: (id: DidKey) => boolean
  readonly seats: InvitationSeats
  readonly stake?: StakeVerifier | undefined
  /** What validators decided about a key. */
  readonly revocation: Revocations['of']
  readonly checks: readonly AdmissionCheck[]
  readonly probes: readonly ConformanceProbe[]
  readonly rpc: Pick<Rpc, 'call'>
  readonly gauges: Gauges
  /** That this validator is certified for, if it is. */
  readonly region: () => string | undefined
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** What a validator answers an application that it does not refuse. */
export interface Judgement {
  readonly vote?: Omit<Signature, '$typeName'>
  /** What it measured of claims that do not hold, encoded. */
  readonly shortfall?: Uint8Array
}

/** Longest time for all checks of one application, ms. */
export const ADMISSION_TIMEOUT_MS = 20_000
/** Applications judged at once, each of which dials up to eight addresses, and that wait; of members and of others apart. */
const TURNS = { atOnce: 8, waiting: 64, atOncePerAddress: 1, waitingPerAddress: 2 }
/** A devnet's nodes all come from one address and renew together. */
const RATE = { burst: 64, refillMs: 1_000, addresses: 4_096 }

/** Where a validator judges applications, by itself and without believing anything. It votes when every check passed. */
export class AdmissionDesk {
  readonly #init: AdmissionDeskInit
  /** Apart, so that whoever floods the validator with applications does not keep members from renewing. */
  readonly #renewals = new AddressTurns(TURNS)
  readonly #newcomers = new AddressTurns(TURNS)
  readonly #limiter: AddressLimiter
  readonly #applying = new Set<string>()

  constructor(init: AdmissionDeskInit) {
    this.#init = init
    this.#limiter = new AddressLimiter(RATE, init.clock)
  }

  /**
   * Judges one application and signs its body (purpose `vote`); or says what it measured where the claim does not hold.
   * @throws WeftError of the first check that failed; E_ADMISSION_BUSY, E_ADMISSION_TIMEOUT (both retryable);
   * E_APPLICATION_MALFORMED, E_CERTIFICATE_MALFORMED
   */
  async judge(request: Pick<ApplyRequest, 'application'>, caller: Caller, signal?: AbortSignal): Promise<Judgement> {
    const { clock, logger, isMember } = this.#init
    const turns = isMember(caller.id) ? this.#renewals : this.#newcomers
    this.#refuseFlood(caller, turns)
    this.#applying.add(caller.id)
    // Of when it came: a wait for its turn must not look like a clock that is wrong.
    const now = clock.now()
    try {
      return await turns.use(
        caller.address,
        () =>
          withTimeout(clock, ADMISSION_TIMEOUT_MS, signal, timeoutError, (inner) =>
            this.#judge(request, caller, now, inner),
          ),
        signal,
      )
    } catch (error) {
      if (isWeftError(error))
        logger.info('application refused', { applicant: shortId(caller.id), code: error.code, cause: error.cause })
      if (error instanceof Shortfall) return { shortfall: encodeShortfall(error.figures) }
      throw error
    } finally {
      this.#applying.delete(caller.id)
    }
  }

  #refuseFlood(caller: Caller, turns: AddressTurns): void {
    if (this.#applying.has(caller.id)) throw busy('an application of this node is being judged already')
    if (!turns.hasRoom(caller.address))
      throw busy('too many applications wait, in all or from the address of this node')
    if (!this.#limiter.take(caller.address)) throw busy('too many applications came from the address of this node')
  }

  async #judge(
    request: Pick<ApplyRequest, 'application'>,
    caller: Caller,
    now: number,
    signal: AbortSignal,
  ): Promise<Judgement> {
    const { network, key, prober, help, isMember, certificate, beaconAfter, isRelay, seats, stake, revocation } =
      this.#init
    const { checks, probes, rpc, gauges, region, clock, random } = this.#init
    const envelope = request.application
    if (envelope === undefined) throw new WeftError(NO_APPLICATION)
    const application = decodeApplication(envelope.payload)
    const { id: applicant, addresses } = application.body
    const dialled = { applicant, addresses, application: application.nonce }
    await using dialBack = new DialBack({ prober, validator: key, ...dialled, clock, random })
    const admission = {
      network,
      caller: caller.id,
      callerAddress: caller.address,
      isRelay,
      envelope,
      application,
      validator: key.publicKey,
      now,
      certificate: certificate(applicant),
      beaconAfter,
      renewal: isMember(applicant),
      seats,
      stake,
      revocation,
      dialBack,
      help,
      probes,
      rpc,
      gauges,
      region: region(),
      clock,
      random,
    }
    for (const check of checks) await check.run(admission, signal)
    return { vote: { signer: key.publicKey, signature: key.sign('vote', application.bodyBytes) } }
  }
}

const NO_APPLICATION = {
  code: 'E_APPLICATION_MALFORMED',
  cause: 'The request carries no application.',
  fix: 'The applicant has to follow docs/specs/admission.md; update the older of the two sides.',
}

function busy(why: string): WeftError {
  return new WeftError({
    code: 'E_ADMISSION_BUSY',
    cause: `The validator does not take the application now: ${why}.`,
    fix: 'Nothing to do: the node applies again by itself.',
    retryable: true,
  })
}

function timeoutError(): WeftError {
  return new WeftError({
    code: 'E_ADMISSION_TIMEOUT',
    cause: `The checks of the application did not end within ${ADMISSION_TIMEOUT_MS} ms.`,
    fix: 'The node applies again by itself; if it stays so, its declared addresses answer too slowly.',
    retryable: true,
  })
}
