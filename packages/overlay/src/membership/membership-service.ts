import { type Clock, type Logger, type Random, type Scope, WeftError, messageOf, orAborted } from '@weft/core'
import { type DidKey, type SigningKey, toDidKey } from '@weft/crypto'
import type { SignedMap, Topic } from '@weft/wire'
import type { AdmissionProfile } from '../admission/admission-profile.ts'
import type { AdmissionProof } from '../admission/admission-proof.ts'
import type { OnionKeySource } from '../admission/onion-key-source.ts'
import type { OwnProfile } from '../admission/own-profile.ts'
import { AbsenceReporter } from '../absence/absence-reporter.ts'
import { Applicant } from '../admission/applicant.ts'
import { answerChallenge } from '../admission/challenge-responder.ts'
import { DialResponder } from '../admission/dial-responder.ts'
import { BurstResponder } from '../admission/measure/burst-responder.ts'
import type { Offer } from '../admission/measure/claims.ts'
import type { LossGauge } from '../admission/measure/gauges.ts'
import type { ConformanceProbe } from '../admission/probe.ts'
import type { CertificatePool } from '../admission/certificate-pool.ts'
import type { StakeVerifier } from '../admission/stake-verifier.ts'
import { BeaconHistory } from '../beacon/beacon-history.ts'
import { beaconToWire, epochFromWire } from '../beacon/beacon-wire.ts'
import { OwnBeaconKey } from '../beacon/own-beacon-key.ts'
import { CertificateReader } from '../map/certificate-reader.ts'
import { decodeMapBody } from '../map/map-body.ts'
import { HeardMaps } from '../map/heard-maps.ts'
import { judgeMapNews } from '../map/judge-map-news.ts'
import { MapFollower } from '../map/map-follower.ts'
import { decodeMapNews, encodeMapNews } from '../map/map-news.ts'
import { MapPublication } from '../map/map-publication.ts'
import { followEpochs } from '../map/map-schedule.ts'
import { serveMap } from '../map/map-server.ts'
import type { SignedMembership } from '../map/signed-membership.ts'
import type { Network } from '../network/network.ts'
import { askForTerms, followTerm } from '../terms/follow-term.ts'
import { Recovery } from '../terms/recovery.ts'
import type { Term } from '../terms/term.ts'
import type { Terms } from '../terms/terms.ts'
import type { AdmissionState } from '../overlay.ts'
import { RevocationService } from '../revocation/revocation-service.ts'
import type { Revocations } from '../revocation/revocations.ts'
import type { MembershipStore } from '../state/membership-store.ts'
import type { TopicMessage } from '../transport/pub-sub.ts'
import type { Transport } from '../transport/transport.ts'
import { ValidatorOffice } from './validator-office.ts'

export interface MembershipServiceInit {
  readonly network: Network
  readonly terms: Terms
  readonly key: SigningKey
  readonly membership: SignedMembership
  readonly database: MembershipStore
  readonly revocations: Revocations
  readonly transport: Transport
  /** What to be certified as; undefined for a pure client. */
  readonly profile: OwnProfile | undefined
  /** Of a node whose certificates have each an onion key of their own. */
  readonly onionKeys: OnionKeySource | undefined
  /** What the policy of the network asks for, to be shown to validators. */
  readonly proof: AdmissionProof | undefined
  /** Of a validator that can judge proofs of stake. */
  readonly stake: StakeVerifier | undefined
  readonly probes: readonly ConformanceProbe[]
  /** How a validator measures the loss of packets. */
  readonly loss: LossGauge | undefined
  /** What this node has, as its operator says. */
  readonly offer: Offer
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly scope: Scope
  readonly onAdmission: () => void
}

const MAP_TOPIC: Topic = 'map'

/** This node's part in membership: applicant, follower of the map, and validator in the terms in which it has a seat. */
export class MembershipService {
  readonly reader: CertificateReader
  readonly revocation: RevocationService
  readonly #init: MembershipServiceInit
  #office: ValidatorOffice | undefined
  readonly #follower: MapFollower
  #applicant: Applicant | undefined
  readonly #bursts: BurstResponder
  readonly #reporter: AbsenceReporter
  readonly #recovery: Recovery | undefined
  readonly #publication: MapPublication
  readonly #beaconKey: OwnBeaconKey
  readonly #beacons: BeaconHistory
  /** ms since the Unix epoch. */
  readonly #since: number
  #isLeaving = false
  #told = ''

  /** Registers its calls at once, so that no caller finds a node that listens and does not answer. */
  constructor(init: MembershipServiceInit) {
    const { network, terms, key, membership, database, revocations, transport, profile } = init
    const { clock, random, logger } = init
    this.#init = init
    this.#since = clock.now()
    this.#bursts = new BurstResponder(clock)
    // Before the first connection a call to a validator makes one.
    const connected = (): readonly DidKey[] => {
      const ids = transport.connected()
      return ids.length > 0 ? ids : network.validators.map(({ id }) => id).filter((id) => id !== key.id)
    }
    this.#publication = new MapPublication({ network, self: key.id, clock })
    this.#reporter = new AbsenceReporter({ network, self: key.id, membership, rpc: transport, clock, random, logger })
    this.#beaconKey = new OwnBeaconKey(network.id, key, random)
    this.#beacons = new BeaconHistory(database, logger)
    this.#noteBeacon()
    this.#openOffice(network.term)
    const ownEntries = (root: Uint8Array): readonly Uint8Array[] | undefined => this.#office?.ownEntries(root)
    this.#follower = new MapFollower({
      membership,
      rpc: transport,
      connected,
      followTerm: (source, number, signal) => followTerm({ network, terms, rpc: transport }, source, number, signal),
      ownEntries,
      clock,
      random,
      logger,
    })
    this.reader = new CertificateReader({
      network,
      membership,
      rpc: transport,
      connected,
      pool: () => (this.#office?.pool.isWhole === true ? this.#office.pool : undefined),
      random,
      logger,
    })
    serveMap(transport, membership, network)
    transport.handle('term.get', async ({ number }) => {
      const succession = terms.succession(number)
      return succession === undefined ? {} : { succession }
    })
    transport.handle('beacon.get', async ({ epoch }) => beaconToWire(this.#beacons.after(epochFromWire(epoch))))
    this.revocation = new RevocationService({
      network,
      key,
      transport,
      revocations,
      database,
      isBehind: () => membership.isBehind,
      clock,
      random,
      logger,
    })
    if (profile === undefined) return
    this.#recovery = new Recovery({
      network,
      terms,
      key,
      membership,
      rpc: transport,
      revocations,
      store: database,
      clock,
      logger,
    })
    transport.handle('admission.challenge', async (request) => {
      const answer = answerChallenge({ network, key, addresses: profile.current?.addresses ?? [], clock }, request)
      this.#applicant?.challengedBy(toDidKey(request.validator), request.nonce)
      return { answer }
    })
    transport.handle('admission.burst', async (request) => this.#bursts.answer(request))
    const members = (): number => membership.members().length
    const dials = new DialResponder({ network, self: key.id, members, prober: transport, clock })
    transport.handle('admission.dial', (request, caller, signal) => dials.answer(request, caller, signal))
    this.#applicant = this.#applicantFor(profile.current)
    this.#tellOnionKeys()
  }

  /** A member cannot be reached: the validators are told, and look for themselves. */
  lost(id: DidKey): void {
    this.#reporter.lost(id, this.#init.scope.signal)
    this.#office?.absences.report([id])
  }

  /** It can be reached again. */
  found(id: DidKey): void {
    this.#reporter.found(id)
  }

  /**
   * Leaves the map: the node shows its certificate no more, and tells the validators, who leave it out of the next one.
   * @throws WeftError E_LEAVE_QUORUM
   */
  async leave(signal: AbortSignal): Promise<void> {
    const { network, key, transport, logger } = this.#init
    this.#isLeaving = true
    this.#applicant?.pause()
    const told = await Promise.all(
      network.validators.map(async ({ id }) => {
        try {
          if (id === key.id) this.#office?.absences.leave(id)
          else await transport.call(id, 'admission.leave', {}, { signal })
          return true
        } catch (error) {
          logger.debug('a validator does not know that this node leaves', { validator: id, error: messageOf(error) })
          return false
        }
      }),
    )
    const knowing = told.filter(Boolean).length
    if (knowing >= network.quorum) return
    throw new WeftError({
      code: 'E_LEAVE_QUORUM',
      cause: `${knowing} of ${network.validators.length} validators could be told that this node leaves; ${network.quorum} are needed.`,
      fix: 'Try again later, or stop without draining (weft stop): the others notice it by themselves.',
      retryable: true,
    })
  }

  /** Takes `leave` back. */
  stay(): void {
    this.#isLeaving = false
    this.#applicant?.resume(this.#init.scope.signal)
  }

  admission(): AdmissionState {
    const { profile, network } = this.#init
    if (profile === undefined) return { state: 'client' }
    const state = this.#applicant?.state()
    // It does not know yet where it is reached.
    if (state === undefined)
      return { state: 'applying', since: this.#since, votes: 0, quorum: network.quorum, faults: [] }
    return state.state === 'certified' ? { ...state, inMap: this.#inMap() } : state
  }

  /** Begins to apply, to follow and to agree; goes on until the scope closes. */
  start(): void {
    const { scope, transport, membership, network, clock, logger } = this.#init
    const fetch = (map: SignedMap, from: DidKey): void => this.#takeLater(map, from)
    // Validators have it before it is brought out; others hear it from them.
    const isHeld = (map: SignedMap): boolean => this.#publication.isThatOf(map)
    const isOfOthers = (map: SignedMap): boolean => membership.isOfOthers(map)
    const heard = new HeardMaps()
    const judge = { membership, follower: this.#follower, heard, isHeld, isOfOthers, fetch, logger }
    const unsubscribe = transport.pubsub.subscribe(
      MAP_TOPIC,
      (message) => judgeMapNews(judge, message, scope.signal),
      (message) => this.#onGossip(message),
    )
    scope.defer('map topic', unsubscribe)
    this.revocation.start(scope)
    scope.defer('absence reports', () => this.#reporter.stop())
    scope.defer(
      'map listener',
      membership.onChange(() => this.#onMapChange()),
    )
    const pull = (signal: AbortSignal): Promise<boolean> => this.#follower.pull(signal)
    const heldEpoch = (): number | undefined => membership.epoch
    const hearsGossip = (): boolean => membership.allows(transport.self, 'member')
    scope.spawn('map', (signal) => followEpochs({ network, clock, heldEpoch, pull, hearsGossip }, signal))
    this.#agree()
    scope.defer(
      'term listener',
      network.onTerm((term) => this.#onTerm(term)),
    )
    const { terms, random } = this.#init
    const connected = (): readonly DidKey[] => transport.connected()
    const onPeer: Transport['onPeer'] = (listener) => transport.onPeer(listener)
    const isBehind = (): boolean => membership.isBehind
    const isKnown = (id: DidKey): boolean => membership.allows(id, 'member')
    const ask = { network, terms, rpc: transport, connected, onPeer, isKnown, isBehind, clock, random, logger }
    scope.spawn('terms', (signal) => askForTerms(ask, signal))
    const recovery = this.#recovery
    if (recovery !== undefined) scope.spawn('recovery', (signal) => recovery.run(signal))
    const { profile } = this.#init
    if (profile !== undefined) scope.spawn('admission', (signal) => this.#applyAs(profile, signal))
  }

  /** Applies as what the node is, anew when that changes; a certificate that it has stays in force meanwhile. */
  async #applyAs(profile: OwnProfile, signal: AbortSignal): Promise<never> {
    for (;;) {
      const changed = new AbortController()
      const inForce = AbortSignal.any([signal, changed.signal])
      const unsubscribe = profile.onChange(() => changed.abort())
      try {
        await (this.#applicant?.run(inForce) ?? aborted(inForce))
      } catch (error) {
        if (signal.aborted || !changed.signal.aborted) throw error
      } finally {
        unsubscribe()
      }
      this.#applicant = this.#applicantFor(profile.current)
      this.#onAdmission()
    }
  }

  #applicantFor(profile: AdmissionProfile | undefined): Applicant | undefined {
    if (profile === undefined) return undefined
    const { network, key, transport, database, revocations, onionKeys, proof, offer } = this.#init
    const { clock, random, logger } = this.#init
    const applicant = new Applicant({
      network,
      key,
      profile,
      offer,
      bursts: this.#bursts,
      proof,
      rpc: transport,
      database,
      revocations,
      beacons: this.#beacons,
      beaconKey: this.#beaconKey,
      onionKeys,
      clock,
      random,
      logger,
      onState: () => this.#onAdmission(),
      submitLocally: (certificate) => this.#office?.pool.offer([certificate]),
    })
    if (this.#isLeaving) applicant.pause()
    return applicant
  }

  #inMap(): boolean {
    return this.#init.membership.isMember(this.#init.key.id)
  }

  /** For a validator of the term. @param pool what it verified in the term before */
  #openOffice(term: Term, pool?: CertificatePool): void {
    const { network, terms, key, membership, transport, probes, stake, loss, database, revocations } = this.#init
    const { clock, random, logger } = this.#init
    if (!term.isValidator(key.id)) return
    this.#office = new ValidatorOffice({
      network,
      term,
      key,
      beaconKey: this.#beaconKey.pair,
      membership,
      beacons: this.#beacons,
      rpc: transport,
      prober: transport,
      ping: (id, signal) => transport.ping(id, signal),
      probes,
      stake,
      loss,
      database,
      revocations,
      terms,
      pool,
      clock,
      random,
      logger,
      onMap: (map, from) => this.#take(map, from),
      onSigned: (map) => void this.#bringOut(map, this.#init.scope.signal),
    })
  }

  #agree(): void {
    const office = this.#office
    if (office === undefined) return
    this.#init.scope.spawn('agreement', async (signal) => {
      try {
        await office.agree(signal)
      } catch (error) {
        // Closed, as another has its seat.
        if (signal.aborted) throw error
      }
    })
  }

  /** Takes up the work of a validator, or leaves it to those who follow; and tells the new ones of its certificate. */
  #onTerm(term: Term): void {
    const pool = this.#office?.pool
    this.#office?.close()
    this.#office = undefined
    this.#openOffice(term, pool)
    this.#agree()
    this.revocation.onTerm()
    void this.#applicant?.onTerm(this.#init.scope.signal)
  }

  /** By the beacon of the newest map nodes that were admitted before it take their positions. */
  #noteBeacon(): void {
    const head = this.#init.membership.head()
    const beacon = head === undefined ? undefined : decodeMapBody(head.body).beacon
    if (beacon !== undefined) this.#beacons.note(beacon)
  }

  /** Which of its onion keys clients find in the map. */
  #tellOnionKeys(): void {
    const { onionKeys, membership, key } = this.#init
    onionKeys?.listed(membership.member(key.id))
  }

  #onMapChange(): void {
    this.#noteBeacon()
    this.#tellOnionKeys()
    this.#office?.observe()
    // Its failures are its own to note: it tries again with the next map.
    void this.#applicant?.resubmit(this.#inMap(), this.#init.scope.signal)
    // A certified node that the map lacks may have been ejected.
    if (this.#applicant?.state().state === 'certified' && !this.#inMap()) this.revocation.askSoon()
    this.#onAdmission()
  }

  /** Tells of a change, and only of a change: an epoch that changes nothing for this node is no news. */
  #onAdmission(): void {
    const now = JSON.stringify(this.admission())
    if (now === this.#told) return
    this.#told = now
    this.#init.onAdmission()
  }

  /** Adopts what a quorum of validators signed, and brings it out unless another did. */
  async #bringOut(map: SignedMap, signal: AbortSignal): Promise<void> {
    const { transport, membership, logger } = this.#init
    const { epoch } = decodeMapBody(map.body)
    try {
      const before = membership.heldList()?.root
      await this.#follower.offer(map, undefined, signal)
      if (await this.#publication.awaitTurn(map, signal)) {
        this.#office?.publish(map, signal)
        await transport.pubsub.publish(MAP_TOPIC, encodeMapNews(membership, map, before))
      }
    } catch (error) {
      if (!signal.aborted)
        logger.warn('the map of this epoch was not brought out', {
          epoch,
          code: codeOf(error),
          cause: messageOf(error),
        })
    }
  }

  /** A map that was passed on: if its changes did not bring it already, its entries are fetched. */
  #onGossip({ data, from }: TopicMessage): void {
    const { map } = decodeMapNews(data)
    if (map !== undefined) this.#takeLater(map, from)
  }

  #takeLater(map: SignedMap, from: DidKey): void {
    const { logger, scope } = this.#init
    this.#take(map, from).catch((error: unknown) => {
      if (!scope.signal.aborted) logger.warn('a map was refused', { code: codeOf(error), cause: messageOf(error) })
    })
  }

  async #take(map: SignedMap, from: DidKey): Promise<void> {
    await this.#follower.offer(map, from, this.#init.scope.signal)
  }
}

/** @throws E_ABORTED once the signal fires */
function aborted(signal: AbortSignal): Promise<never> {
  return orAborted(new Promise<never>(() => {}), signal)
}

function codeOf(error: unknown): string | undefined {
  return error instanceof WeftError ? error.code : undefined
}
