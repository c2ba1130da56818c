import {
  type Clock,
  type Logger,
  type Random,
  equalBytes,
  isWeftError,
  messageOf,
  randomInt,
  throwIfAborted,
  wait,
} from '@weft/core'
import { type DidKey, type SigningKey, shortId } from '@weft/crypto'
import { CertificateSchema, create, decodeMessage, encodeMessage } from '@weft/wire'
import type { BeaconHistory } from '../beacon/beacon-history.ts'
import { findBeacon } from '../beacon/find-beacon.ts'
import type { OwnBeaconKey } from '../beacon/own-beacon-key.ts'
import { epochAt, epochStart } from '../network/epoch.ts'
import type { Network } from '../network/network.ts'
import { toleratedFaults } from '../network/quorum.ts'
import type { PacketService } from '../member.ts'
import type { AdmissionState } from '../overlay.ts'
import type { Rpc } from '../rpc.ts'
import type { Revocations } from '../revocation/revocations.ts'
import type { MembershipStore } from '../state/membership-store.ts'
import type { Term } from '../terms/term.ts'
import type { AdmissionProfile } from './admission-profile.ts'
import type { AdmissionProof } from './admission-proof.ts'
import { ApplicationRound } from './application-round.ts'
import { type VerifiedCertificate, toWireCertificate, validVotes, verifyCertificate } from './certificate.ts'
import { type CertificateBody, encodeCertificateBody } from './certificate-body.ts'
import { type FailedAttempt, isRefusal, progressAfter } from './failed-attempt.ts'
import { MAX_WIRE_CERTIFICATE } from './certificate-pool.ts'
import { certifiedPosition } from './certified-position.ts'
import { findOwnCertificate } from './find-own-certificate.ts'
import type { OnionKeySource } from './onion-key-source.ts'
import type { CertifiedPosition } from './position-field.ts'
import type { BurstResponder } from './measure/burst-responder.ts'
import { type Offer, firstClaim, loweredClaim, profileClaiming } from './measure/claims.ts'
import { type Demotion, demotionsOf } from './measure/demotions.ts'
import { resourcesUntil } from '../resources/resources-until.ts'
import type { Measured } from './measured-field.ts'
import { ValidatorPatience } from './validator-patience.ts'

export interface ApplicantInit {
  readonly network: Network
  readonly key: SigningKey
  readonly profile: AdmissionProfile
  /** What its operator says that it has. */
  readonly offer: Offer
  /** Takes part where validators measure its bandwidth. */
  readonly bursts: Pick<BurstResponder, 'expect'>
  /** What the policy of the network asks for. */
  readonly proof?: AdmissionProof | undefined
  readonly rpc: Pick<Rpc, 'call'>
  readonly database: MembershipStore
  readonly revocations: Pick<Revocations, 'voids' | 'onChange'>
  readonly beacons: Pick<BeaconHistory, 'after' | 'newestEpoch' | 'onChange'>
  readonly beaconKey: Pick<OwnBeaconKey, 'entry'>
  /** Where each certificate has its onion key from; left out, all have that of the profile. */
  readonly onionKeys?: Pick<OnionKeySource, 'next' | 'has' | 'certified'> | undefined
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Called at every change of what `state()` returns. */
  readonly onState: () => void
  /** For a validator: takes its own certificate without the wire. */
  readonly submitLocally: (certificate: VerifiedCertificate) => void
}

/** ms until the first retry; doubles up to the longest, each with up to half of it added at random. */
const FIRST_RETRY_MS = 500
/** ms: while validators are missing; they may be starting like this node, and then everybody waits for a map. */
const LONGEST_WAIT_MS = 5_000
/** ms: after a refusal, which is for a person to mend. */
const LONGEST_RETRY_MS = 60_000
/** ms: all who were admitted before one beacon apply again with it, and not all at once. */
const LONGEST_PLACING_MS = 20_000
/** Times in a row that a claim is lowered. */
const MOST_LOWERED = 6

type Attempt = { readonly certificate: VerifiedCertificate } | ({ readonly certificate: undefined } & FailedAttempt)

/**
 * The applicant's side of admission: asks every validator in parallel, makes a certificate of a quorum of votes, hands
 * it to the validators, renews it at a random time in the middle third of its life, and says at any moment how it
 * stands and why.
 */
export class Applicant {
  readonly #init: ApplicantInit
  #certificate: VerifiedCertificate | undefined
  /** What it was certified as last, though it may want to be something else now: its position stays. */
  #last: CertificateBody | undefined
  #progress: Exclude<AdmissionState, { readonly state: 'client' | 'certified' }>
  /** Validators that have the current certificate. */
  readonly #informed = new Set<DidKey>()
  readonly #patience: ValidatorPatience
  #submitting = false
  /** The node leaves: nothing is submitted. */
  #paused = false
  /** Others have the seats since the submission that goes on began. */
  #submitAgain = false

  constructor(init: ApplicantInit) {
    this.#init = init
    this.#patience = new ValidatorPatience(init.clock)
    this.#progress = { state: 'applying', since: init.clock.now(), votes: 0, quorum: init.network.quorum, faults: [] }
    this.#certificate = this.#restore()
  }

  /** Certified while a certificate is valid, also during its renewal. `inMap` is for the caller to fill in. */
  state(): AdmissionState {
    const certificate = this.#certificate
    if (certificate !== undefined && this.#isInForce(certificate)) {
      return {
        state: 'certified',
        epoch: certificate.body.issuedEpoch,
        expiresAt: certificate.body.expiresAt,
        inMap: false,
        ...this.#demoted(certificate),
      }
    }
    return this.#progress
  }

  /** Roles that it wants and does not have by this certificate. */
  #demoted({ body }: VerifiedCertificate): { readonly demoted?: readonly Demotion[] } {
    const { network } = this.#init
    const { roles } = this.#profileIn(network.termAt(body.issuedEpoch))
    const demoted = demotionsOf(roles, network.file.minimums ?? {}, body)
    return demoted.length === 0 ? {} : { demoted }
  }

  #isInForce({ body }: VerifiedCertificate): boolean {
    return body.expiresAt > this.#init.clock.now() && !this.#init.revocations.voids(body)
  }

  get certificate(): VerifiedCertificate | undefined {
    return this.#certificate
  }

  /** Applies, submits and renews until the signal fires. @throws WeftError E_ABORTED */
  async run(signal: AbortSignal): Promise<never> {
    for (;;) {
      if (this.#certificate === undefined) this.#certificate = await this.#applyUntilCertified(signal)
      this.#init.onState()
      await this.submit(signal)
      await this.#untilRenewal(this.#certificate, signal)
      // The old one stays in force while the new one is asked for.
      this.#certificate = await this.#applyUntilCertified(signal)
    }
  }

  /** Hands the certificate to every validator that does not have it yet. Failures are tried again by `resubmit`. */
  async submit(signal: AbortSignal): Promise<void> {
    const { network } = this.#init
    const certificate = this.#certificate
    if (certificate === undefined || this.#paused) return
    this.#submitting = true
    do {
      this.#submitAgain = false
      const uninformed = network.validators.filter(({ id }) => !this.#informed.has(id))
      await Promise.all(uninformed.map(({ id }) => this.#submitTo(id, certificate, signal)))
    } while (this.#submitAgain && !signal.aborted)
    this.#submitting = false
  }

  /** Others have the seats: they are told of the certificate. */
  async onTerm(signal: AbortSignal): Promise<void> {
    this.#submitAgain = this.#submitting
    await this.resubmit(true, signal)
  }

  async #submitTo(validator: DidKey, certificate: VerifiedCertificate, signal: AbortSignal): Promise<void> {
    const { key, rpc, logger, submitLocally } = this.#init
    try {
      if (validator === key.id) submitLocally(certificate)
      else await rpc.call(validator, 'admission.submit', { certificate: toWireCertificate(certificate) }, { signal })
      if (this.#certificate === certificate) this.#informed.add(validator)
    } catch (error) {
      if (!signal.aborted)
        logger.debug('certificate not submitted', { validator: shortId(validator), error: messageOf(error) })
    }
  }

  /** A new map came: tells the validators that were down again, and all of them when the map lacks this node. */
  async resubmit(inMap: boolean, signal: AbortSignal): Promise<void> {
    if (this.#submitting) return
    if (!inMap) this.#informed.clear()
    await this.submit(signal)
  }

  /** A challenge was put in the name of a validator. */
  challengedBy(validator: DidKey, nonce: Uint8Array): void {
    this.#patience.challengedBy(validator, nonce)
  }

  /** Submits nothing from now on. */
  pause(): void {
    this.#paused = true
  }

  /** Wants to be in the map again. */
  resume(signal: AbortSignal): void {
    this.#paused = false
    void this.resubmit(false, signal)
  }

  /**
   * Begins with all that it wants, also at a renewal: what it fell short of may be there now. Claims less where validators
   * measured less, down to what a quorum of them found, and leaves out the roles for which that is too little.
   */
  async #applyUntilCertified(signal: AbortSignal): Promise<VerifiedCertificate> {
    const { network, offer, clock, random, logger, onState } = this.#init
    const { minimums = {} } = network.file
    const since = clock.now()
    const first = firstClaim(minimums, this.#profileIn(network.term).roles, offer)
    let claim = first
    let lowered = 0
    for (let failures = 0; ; failures++) {
      const attempt = await this.#apply(since, claim, signal)
      throwIfAborted(signal)
      if (attempt.certificate !== undefined) {
        this.#informed.clear()
        this.#save(attempt.certificate)
        return attempt.certificate
      }
      const lower = claim === undefined ? undefined : loweredClaim(claim, attempt.found, attempt.term.quorum, minimums)
      const goesOn = lower !== undefined && lowered++ < MOST_LOWERED
      if (goesOn) logger.info('validators measured less than was claimed', { claimed: claim, next: lower })
      // Begins anew where lowering does not end it: the next try may meet a better hour.
      claim = goesOn ? lower : first
      if (!goesOn) lowered = 0
      const longest = isRefusal(attempt) ? LONGEST_RETRY_MS : LONGEST_WAIT_MS
      const delay = goesOn ? FIRST_RETRY_MS : Math.min(longest, FIRST_RETRY_MS * 2 ** Math.min(failures, 16))
      const retryMs = delay + randomInt(random, Math.ceil(delay / 2) + 1)
      const retryAt = clock.now() + retryMs
      const progress = progressAfter(attempt, since, retryAt)
      const before = this.#progress
      // Who was refused and tries with less is refused until that says something else.
      this.#progress = goesOn && before.state === 'refused' ? { ...before, retryAt } : progress
      if (progress.state === 'refused') {
        logger.warn('not admitted', { code: progress.fault.code, cause: progress.fault.cause })
      }
      onState()
      if (attempt.refusals.some(({ fault }) => fault.code === 'E_ADMISSION_POSITION')) await this.#learnLast(signal)
      await wait(clock, retryMs, signal)
    }
  }

  /** Its state was lost, or is that of an old copy: validators know better where it stands. */
  async #learnLast(signal: AbortSignal): Promise<void> {
    const { network, key, rpc } = this.#init
    const found = await findOwnCertificate({ network, self: key.id, rpc }, signal)
    if (found !== undefined && found.issuedEpoch > (this.#last?.issuedEpoch ?? -1)) this.#last = found
  }

  /** One application to all validators at once. It ends as soon as a quorum voted or cannot be had any more. */
  async #apply(since: number, claim: Measured | undefined, signal: AbortSignal): Promise<Attempt> {
    const { network, clock, logger, onState } = this.#init
    const issuedEpoch = Math.max(0, epochAt(network.file, clock.now()))
    const expiresAt = epochStart(network.file, issuedEpoch) + network.file.certificateTtlMs
    const term = network.termAt(issuedEpoch)
    this.#patience.begin()
    const position = await this.#position(signal)
    const wanted = this.#profileIn(term)
    const { minimums = {} } = network.file
    // With no role left it asks for all, and reads from the validators what is missing.
    const seated = term.isValidator(wanted.id)
    const claimed = profileClaiming(wanted, minimums, claim, seated) ?? { ...wanted, measured: claim }
    const resources = resourcesUntil(claimed.resources, expiresAt)
    if (resources !== claimed.resources)
      logger.warn('the attestation of energy ends before a new certificate would, so it is declared', { expiresAt })
    const packets = this.#withOnionKey(claimed.packets, (keys) => keys.next())
    const bodyBytes = encodeCertificateBody({ ...claimed, packets, resources, position, issuedEpoch, expiresAt })
    const round = new ApplicationRound({
      ...this.#init,
      bodyBytes,
      measured: claimed.measured,
      term,
      patience: this.#patience,
      onAnswer: (votes, refusals) => {
        if (this.#progress.state !== 'applying') return
        const faults = refusals.map(({ fault }) => fault)
        this.#progress = { state: 'applying', since, votes, quorum: term.quorum, faults }
        onState()
      },
    })
    const { votes, refusals, found } = await round.ask(signal)
    if (votes.length < term.quorum) return { certificate: undefined, votes: votes.length, refusals, found, term }
    try {
      return { certificate: verifyCertificate(network, toWireCertificate({ bodyBytes, votes: [...votes] })) }
    } catch (error) {
      if (!isWeftError(error, 'E_CERTIFICATE_QUORUM')) throw error
      // While they were asked this node learnt that others have their seats in this epoch.
      return { certificate: undefined, votes: 0, refusals: [], found: [], term: network.termAt(issuedEpoch) }
    }
  }

  #profileIn(term: Term): AdmissionProfile {
    const { profile, beaconKey } = this.#init
    const wanted = profileIn(term, profile)
    return term.isValidator(profile.id) ? { ...wanted, beaconKey: beaconKey.entry } : wanted
  }

  /** What it wants to be in a term, of that what so much is enough for. */
  #claiming(term: Term, measured: Measured | undefined): AdmissionProfile | undefined {
    const { network, profile } = this.#init
    return profileClaiming(this.#profileIn(term), network.file.minimums ?? {}, measured, term.isValidator(profile.id))
  }

  /** Where the node stands, by the certificate that it has; undefined before the first beacon after its admission. */
  async #position(signal: AbortSignal): Promise<CertifiedPosition | undefined> {
    const { network, key, rpc, beacons, clock } = this.#init
    const last = this.#last
    if (last === undefined || last.expiresAt <= clock.now()) return undefined
    const isMissed = last.position === undefined && beacons.newestEpoch > last.issuedEpoch
    const known = beacons.after(last.issuedEpoch)
    const others = network.validators.map(({ id }) => id).filter((id) => id !== key.id)
    const someHonest = toleratedFaults(network.validators.length) + 1
    const asked = { rpc, others, someHonest }
    const beacon = known ?? (isMissed ? await findBeacon(asked, last.issuedEpoch, signal) : undefined)
    return certifiedPosition(last, () => beacon)
  }

  #withOnionKey(
    packets: PacketService | undefined,
    keyOf: (keys: Pick<OnionKeySource, 'next' | 'has'>) => Uint8Array,
  ): PacketService | undefined {
    const { onionKeys } = this.#init
    return packets === undefined || onionKeys === undefined ? packets : { ...packets, onionKey: keyOf(onionKeys) }
  }

  /** Its onion key is in use for as long as it says. */
  #noteOnionKey({ body: { packets, expiresAt } }: VerifiedCertificate): void {
    if (packets !== undefined) this.#init.onionKeys?.certified(packets.onionKey, expiresAt)
  }

  #save(certificate: VerifiedCertificate): void {
    this.#last = certificate.body
    // Before it is shown to anybody: from then on a map may have the key.
    this.#noteOnionKey(certificate)
    const { database, logger } = this.#init
    logger.info('certified', { epoch: certificate.body.issuedEpoch, votes: certificate.votes.length })
    try {
      database.saveOwnCertificate(encodeMessage(CertificateSchema, toWireCertificate(certificate)))
    } catch (error) {
      // It is as good without the file; only a restart will have to apply again.
      logger.warn('the certificate could not be kept', { error: messageOf(error) })
    }
  }

  /** Waits until a random moment in the middle third of the certificate's life, or until it is revoked. */
  async #untilRenewal(certificate: VerifiedCertificate, signal: AbortSignal): Promise<void> {
    const { network, clock, random, revocations, beacons } = this.#init
    const { body } = certificate
    const life = network.file.certificateTtlMs
    const begin = body.expiresAt - (2 * life) / 3
    const at = begin + randomInt(random, Math.max(1, Math.floor(life / 3)))
    let wake = new AbortController()
    const unsubscribe = [
      revocations.onChange(() => {
        if (revocations.voids(body)) wake.abort()
      }),
      network.onTerm(() => wake.abort()),
      beacons.onChange(() => wake.abort()),
    ]
    let placedAt = Infinity
    try {
      for (;;) {
        const canBePlaced = body.position === undefined && beacons.newestEpoch > body.issuedEpoch
        if (canBePlaced && placedAt === Infinity)
          placedAt = clock.now() + randomInt(random, Math.min(network.file.mapEpochMs, LONGEST_PLACING_MS))
        const due = Math.min(at, placedAt, this.#endInTerm(certificate))
        if (clock.now() >= due || !this.#isInForce(certificate)) return
        const either = AbortSignal.any([signal, wake.signal])
        // In pieces: a clock that was set must not move the renewal behind the end of the certificate.
        await wait(clock, Math.min(60_000, due - clock.now()), either).catch((error: unknown) => {
          if (signal.aborted) throw error
        })
        if (wake.signal.aborted) wake = new AbortController()
      }
    } finally {
      for (const end of unsubscribe) end()
    }
  }

  /**
   * When a certificate has to be renewed as others have the seats, ms since the Unix epoch: with the begin of their term if
   * those who voted for it had none any more, or if it says of this node that it is a validator, or that it is none.
   */
  #endInTerm({ body, bodyBytes, votes }: VerifiedCertificate): number {
    const { network } = this.#init
    const { term } = network
    const { roles = [], beaconKey } = this.#claiming(term, body.measured) ?? {}
    // A candidate that got a seat has the role already, and no key for beacons.
    const isRight =
      body.roles.includes('validator') === roles.includes('validator') &&
      (body.beaconKey === undefined) === (beaconKey === undefined)
    const issued = network.termAt(body.issuedEpoch)
    const holds = validVotes(issued, 'vote', bodyBytes, create(CertificateSchema, { votes: [...votes] }).votes)
    return isRight && holds.length >= issued.quorum ? Infinity : epochStart(network.file, term.fromEpoch)
  }

  /** The certificate of before the restart, if it still says what this node wants to be. */
  #restore(): VerifiedCertificate | undefined {
    const { network, database, logger } = this.#init
    const bytes = database.ownCertificate()
    if (bytes === undefined) return undefined
    try {
      const certificate = verifyCertificate(network, decodeMessage(CertificateSchema, bytes, MAX_WIRE_CERTIFICATE))
      this.#last = certificate.body
      this.#noteOnionKey(certificate)
      const { issuedEpoch, expiresAt, position, measured } = certificate.body
      const claimed = this.#claiming(network.term, measured)
      if (claimed === undefined) return undefined
      const beaconKey = sameKey(claimed, certificate.body)
      const resources = resourcesUntil(claimed.resources, expiresAt)
      const listed = certificate.body.packets?.onionKey
      // Any key will do whose secret is there.
      const packets = this.#withOnionKey(claimed.packets, (keys) =>
        listed !== undefined && keys.has(listed) ? listed : NO_KEY,
      )
      const profile = { ...claimed, packets, resources, beaconKey, position }
      const wanted = encodeCertificateBody({ ...profile, issuedEpoch, expiresAt })
      return this.#isInForce(certificate) && Buffer.compare(wanted, certificate.bodyBytes) === 0
        ? certificate
        : undefined
    } catch (error) {
      logger.warn('the certificate of before the restart is not used', {
        code: isWeftError(error) ? error.code : undefined,
      })
      return undefined
    }
  }
}

/** Of no certificate: all zeros is refused there. */
const NO_KEY = new Uint8Array(32)

/** A proof of possession is drawn anew by each process: that of the certificate is as good, for the same key. */
function sameKey(profile: AdmissionProfile, certified: CertificateBody): AdmissionProfile['beaconKey'] {
  const [own, listed] = [profile.beaconKey, certified.beaconKey]
  return own !== undefined && listed !== undefined && equalBytes(own.publicKey, listed.publicKey) ? listed : own
}

/** Who has a seat is a validator, whatever its operator set. Who has none and asks for the role is a candidate for one. */
function profileIn(term: Term, profile: AdmissionProfile): AdmissionProfile {
  const asItIs = !term.isValidator(profile.id) || profile.roles.includes('validator')
  return asItIs ? profile : { ...profile, roles: [...profile.roles, 'validator'] }
}
