import { type Clock, type Logger, type Random, WeftError, messageOf, toHex } from '@weft/core'
import { type DidKey, type SigningKey, toDidKey } from '@weft/crypto'
import type { SignedMap } from '@weft/wire'
import { MAX_REPORTED } from '../absence/absence-reporter.ts'
import { Absences } from '../absence/absences.ts'
import { Availability } from '../absence/availability.ts'
import { toWireCertificate } from '../admission/certificate.ts'
import { CertificatePool } from '../admission/certificate-pool.ts'
import { ADMISSION_CHECKS } from '../admission/admission-checks.ts'
import { AdmissionDesk } from '../admission/admission-desk.ts'
import type { BeaconKeyPair } from '../beacon/beacon-key.ts'
import type { BeaconHistory } from '../beacon/beacon-history.ts'
import { BeaconOffice } from '../beacon/beacon-office.ts'
import { DialHelp } from '../admission/dial-help.ts'
import { AgreedParts } from '../agreement/agreed-parts.ts'
import { AgreementRunner } from '../agreement/agreement-runner.ts'
import { timeoutsOf } from '../agreement/timeouts.ts'
import { ValidatorCalls } from '../agreement/validator-calls.ts'
import type { ConformanceProbe, Prober } from '../admission/probe.ts'
import { type LossGauge, gaugesOf } from '../admission/measure/gauges.ts'
import { protocolProbes } from '../admission/protocol-probes.ts'
import type { StakeVerifier } from '../admission/stake-verifier.ts'
import { InvitationSeats } from '../invitation/invitation-seats.ts'
import { MAX_CERTIFICATES_ASKED } from '../map/certificate-reader.ts'
import { type Endorsement, MapEndorser } from '../map/map-endorser.ts'
import { MapJudge } from '../map/map-judge.ts'
import { mapPart } from '../map/map-part.ts'
import { MapProposer } from '../map/map-proposer.ts'
import { PROPOSAL_CHECKS } from '../map/proposal-checks.ts'
import type { SignedMembership } from '../map/signed-membership.ts'
import type { Network } from '../network/network.ts'
import { isRelay } from '../reach/is-relay.ts'
import type { Revocations } from '../revocation/revocations.ts'
import type { Rpc } from '../rpc.ts'
import { RpcHandlers } from '../rpc-handlers.ts'
import type { MembershipStore } from '../state/membership-store.ts'
import { Handover } from '../terms/handover.ts'
import type { Term } from '../terms/term.ts'
import type { Terms } from '../terms/terms.ts'

export interface ValidatorOfficeInit {
  readonly network: Network
  /** That it has a seat in. */
  readonly term: Term
  readonly key: SigningKey
  readonly beaconKey: BeaconKeyPair
  readonly membership: SignedMembership
  readonly beacons: BeaconHistory
  readonly rpc: Rpc
  readonly prober: Prober
  /** One round trip to a node, over a new connection if need be. */
  readonly ping: (id: DidKey, signal: AbortSignal) => Promise<unknown>
  readonly probes: readonly ConformanceProbe[]
  readonly stake?: StakeVerifier | undefined
  /** How it measures the loss of packets, if it carries any. */
  readonly loss?: LossGauge | undefined
  readonly database: MembershipStore
  readonly revocations: Revocations
  readonly terms: Pick<Terms, 'offer'>
  /** That of its office in the term before. */
  readonly pool?: CertificatePool | undefined
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Takes a map that another validator published. */
  readonly onMap: (map: SignedMap, from: DidKey) => Promise<void>
  /** Told once of an epoch of the map that a quorum signed. */
  readonly onSigned: (map: SignedMap) => void
}

/** Everything that a validator does beside being a member: judges, keeps certificates, agrees and signs. */
export class ValidatorOffice {
  readonly pool: CertificatePool
  readonly absences: Absences
  readonly availability: Availability
  readonly #init: ValidatorOfficeInit
  readonly #rpc: RpcHandlers
  readonly #closed = new AbortController()
  readonly #judge: MapJudge
  readonly #proposer: MapProposer
  readonly #endorser: MapEndorser
  readonly #agreement: AgreementRunner
  readonly #handover: Handover
  readonly #beacons: BeaconOffice
  readonly #calls: ValidatorCalls

  constructor(init: ValidatorOfficeInit) {
    const { network, term, key, prober, probes, stake, loss, database, revocations, clock, random, logger } = init
    this.#init = init
    const rpc = new RpcHandlers(init.rpc)
    this.#rpc = rpc
    init.pool?.beginTerm(term)
    this.pool = init.pool ?? new CertificatePool(network, database, clock, revocations)
    const { pool } = this
    const absences = new Absences({ ping: init.ping, isCertified: (id) => pool.isCertified(id), clock, logger })
    this.absences = absences
    this.availability = new Availability({ epochMs: network.file.mapEpochMs, store: database })
    const desk = new AdmissionDesk({
      network,
      key,
      prober,
      help: new DialHelp({
        network,
        validator: key,
        members: () => init.membership.members(),
        rpc,
        clock,
        random,
        logger,
      }),
      isMember: (id) => pool.isCertified(id),
      certificate: (id) => this.#unexpired(id),
      beaconAfter: (epoch) => init.beacons.after(epoch),
      isRelay: (id) => this.#isRelay(id),
      revocation: (id) => revocations.of(id),
      seats: new InvitationSeats(database, clock),
      stake,
      checks: ADMISSION_CHECKS,
      probes: [...protocolProbes(random), ...probes],
      rpc,
      gauges: gaugesOf({ clock, random, loss, availability: (id) => this.availability.of(id) }),
      region: () => pool.get(key.id)?.body.region,
      clock,
      random,
      logger,
    })
    const rounds = (epoch: number): readonly number[] => this.#agreement.rounds(epoch)
    const judge = new MapJudge({ network, pool, absences, revocations, checks: PROPOSAL_CHECKS, rounds, clock })
    const beacons = new BeaconOffice({
      network,
      term,
      key,
      beaconKey: init.beaconKey,
      membership: init.membership,
      rpc,
      store: database,
      clock,
      random,
      logger,
      onProgress: () => this.#agreement.reconsider(),
      onMade: (beacon) => init.beacons.noteMade(beacon),
    })
    this.#beacons = beacons
    const fieldsOf = (epoch: number): ReturnType<BeaconOffice['fieldsOf']> => beacons.fieldsOf(epoch)
    const proposer = new MapProposer({ network, key, pool, absences, judge, beacons: fieldsOf, rpc, clock, logger })
    const onAgreed = (epoch: number, body: Uint8Array): void => this.#onAgreed(epoch, body)
    const parts = new AgreedParts([mapPart({ proposer, judge, onAgreed }), beacons.part])
    this.#judge = judge
    this.#proposer = proposer
    this.#endorser = new MapEndorser({ network, key, database, clock })
    this.#agreement = new AgreementRunner({
      network,
      term,
      key,
      rpc,
      store: database,
      clock,
      logger,
      isReady: (epoch) => parts.isReady(epoch),
      propose: (epoch) => parts.propose(epoch),
      judge: (epoch, value) => parts.judge(epoch, value),
      onProposed: (epoch) => this.#onProposed(epoch),
      onDecision: (epoch, value) => parts.decided(epoch, value),
    })
    const { terms, membership } = init
    this.#handover = new Handover({ network, terms, term, key, membership, rpc, store: database, clock, logger })
    const others = term.validators.map(({ id }) => id).filter((id) => id !== key.id)
    this.#calls = new ValidatorCalls({ rpc, clock, logger, others, pauseMs: timeoutsOf(network.file.mapEpochMs).pull })
    this.#serve(desk)
  }

  /** A newer map came: who is in it was there. */
  observe(): void {
    const { membership } = this.#init
    const { epoch } = membership
    if (epoch === undefined) return
    try {
      this.availability.observe(epoch, membership.members())
    } catch (error) {
      // Of what is not on disk a restart forgets an hour at most; validators judge without.
      this.#init.logger.warn('who was there is not kept', { epoch, error: messageOf(error) })
    }
  }

  /** Entries of a map that this validator proposed or found good. */
  ownEntries(root: Uint8Array): readonly Uint8Array[] | undefined {
    return this.#judge.entries(root)
  }

  /** Its seat is another's: it answers no calls any more, and says nothing. */
  close(): void {
    this.#rpc.end()
    this.#closed.abort()
  }

  /**
   * Takes part in the agreement of each epoch, looks for members that are away, and sees to it that the seats are filled,
   * until the signal fires or it is closed. @throws WeftError E_ABORTED
   */
  async agree(signal: AbortSignal): Promise<never> {
    const open = AbortSignal.any([signal, this.#closed.signal])
    const [end] = await Promise.all([
      this.#agreement.run(open),
      this.absences.run(open),
      this.#beacons.run(open),
      this.#handover.run(open),
      this.#readPool(open),
    ])
    return end
  }

  /** Before its certificates are read it judges applications and votes, but neither proposes maps nor judges them. */
  async #readPool(signal: AbortSignal): Promise<void> {
    await this.pool.read(signal)
    this.#agreement.reconsider()
  }

  /** Sends a map to every other validator; those that do not get it pull it later. */
  publish(map: SignedMap, signal: AbortSignal): void {
    this.#calls.toAll('map.publish', { map }, signal)
  }

  #onProposed(epoch: number): void {
    try {
      this.#proposer.considerOwn(epoch)
    } catch (error) {
      this.#init.logger.warn('the own proposal does not hold', { epoch, cause: messageOf(error) })
    }
    const isSettled = (): boolean => this.#agreement.isSettled(epoch)
    // Ends with the epoch, and notes its failures itself.
    void this.#proposer.bring(epoch, isSettled, this.#agreement.endOf(epoch))
  }

  /** Signs what was agreed on, tells the others, and counts their signatures. */
  #onAgreed(epoch: number, body: Uint8Array): void {
    const endorsement = this.#endorser.endorse(body)
    void this.#calls.untilTaken('map.endorse', endorsement, this.#agreement.endOf(epoch))
    this.#count(endorsement)
  }

  #count(endorsement: Endorsement): void {
    const map = this.#endorser.take(endorsement)
    if (map !== undefined) this.#init.onSigned(map)
  }

  #serve(desk: AdmissionDesk): void {
    const { onMap } = this.#init
    const rpc = this.#rpc
    rpc.handle('admission.apply', (request, caller, signal) => desk.judge(request, caller, signal))
    rpc.handle('admission.submit', async ({ certificate }, caller) => {
      if (certificate === undefined) throw new WeftError(NO_CERTIFICATE)
      this.pool.submit(certificate)
      this.absences.returned(caller.id)
      return {}
    })
    rpc.handle('admission.leave', async (_, caller) => {
      this.absences.leave(caller.id)
      return {}
    })
    rpc.handle('absence.report', async ({ members }, _, signal) => {
      const keys = members.slice(0, MAX_REPORTED).filter(({ length }) => length === 32)
      await this.pool.read(signal, keys.map(toHex))
      this.absences.report(keys.map(toDidKey).filter((id) => this.pool.isCertified(id)))
      return {}
    })
    rpc.handle('map.propose', async (proposal, caller, signal) => {
      const missing = await this.#judge.considerInSlices(proposal, caller.id, signal)
      if (missing.length === 0) this.#agreement.reconsider()
      return { missing }
    })
    rpc.handle('map.endorse', async ({ body, signature }) => {
      if (signature !== undefined) this.#count({ body, signature })
      return {}
    })
    rpc.handle('map.publish', async ({ map }, caller) => {
      if (map !== undefined) await onMap(map, caller.id)
      return {}
    })
    rpc.handle('map.certificates', async ({ members }, _, signal) => {
      const asked = members.slice(0, MAX_CERTIFICATES_ASKED).filter(({ length }) => length === 32)
      await this.pool.read(signal, asked.map(toHex))
      return { certificates: asked.flatMap((key) => this.#certificateOf(key)) }
    })
  }

  #isRelay(id: DidKey): boolean {
    const body = this.pool.isCertified(id) ? this.pool.get(id)?.body : undefined
    return body !== undefined && isRelay(body)
  }

  #unexpired(id: DidKey): ReturnType<CertificatePool['get']> {
    const known = this.pool.get(id)
    return known === undefined || known.body.expiresAt <= this.#init.clock.now() ? undefined : known
  }

  #certificateOf(key: Uint8Array): ReturnType<typeof toWireCertificate>[] {
    const known = this.pool.get(toDidKey(key))
    return known === undefined ? [] : [toWireCertificate(known)]
  }
}

const NO_CERTIFICATE = {
  code: 'E_CERTIFICATE_MALFORMED',
  cause: 'The request carries no certificate.',
  fix: 'The sender has to follow docs/specs/admission.md; update the older of the two sides.',
}
