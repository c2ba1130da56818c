import { type Clock, type Logger, type Random, type Scope, WeftError, messageOf } from '@weft/core'
import type { DidKey, SigningKey } from '@weft/crypto'
import type { SignedMap } from '@weft/wire'
import type { AdmissionProfile } from '../admission/admission-profile.ts'
import { Applicant } from '../admission/applicant.ts'
import { answerChallenge } from '../admission/challenge-responder.ts'
import type { ConformanceProbe } from '../admission/probe.ts'
import { CertificateReader } from '../map/certificate-reader.ts'
import { judgeMapNews } from '../map/judge-map-news.ts'
import { MapFollower } from '../map/map-follower.ts'
import { decodeMapNews, encodeMapNews } from '../map/map-news.ts'
import { runEpochs } from '../map/map-schedule.ts'
import { serveMap } from '../map/map-server.ts'
import type { SignedMembership } from '../map/signed-membership.ts'
import type { Network } from '../network/network.ts'
import type { AdmissionState } from '../overlay.ts'
import type { MembershipDatabase } from '../state/membership-database.ts'
import type { TopicMessage } from '../transport/pub-sub.ts'
import type { Transport } from '../transport/transport.ts'
import { ValidatorOffice } from './validator-office.ts'

export interface MembershipServiceInit {
  readonly network: Network
  readonly key: SigningKey
  readonly membership: SignedMembership
  readonly database: MembershipDatabase
  readonly transport: Transport
  /** What to be certified as; undefined for a pure client. */
  readonly profile: AdmissionProfile | undefined
  readonly probes: readonly ConformanceProbe[]
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly scope: Scope
  readonly onAdmission: () => void
}

const MAP_TOPIC = 'map'

/** This node's part in membership: applicant, follower of the map, and validator where the network file names it. */
export class MembershipService {
  readonly reader: CertificateReader
  readonly #init: MembershipServiceInit
  readonly #office: ValidatorOffice | undefined
  readonly #follower: MapFollower
  readonly #applicant: Applicant | undefined
  #told = ''

  /** Registers its calls at once, so that no caller finds a node that listens and does not answer. */
  constructor(init: MembershipServiceInit) {
    const { network, key, membership, database, transport, profile, probes, clock, random, logger } = init
    this.#init = init
    const validators = network.validators.map(({ id }) => id).filter((id) => id !== key.id)
    // Before the first connection a call to a validator makes one.
    const connected = (): readonly DidKey[] => {
      const ids = transport.connected()
      return ids.length > 0 ? ids : validators
    }
    if (network.isValidator(key.id)) {
      const onMap = (map: SignedMap, from: DidKey): Promise<void> => this.#take(map, from)
      this.#office = new ValidatorOffice({
        network,
        key,
        rpc: transport,
        prober: transport,
        probes,
        database,
        clock,
        random,
        logger,
        onMap,
      })
    }
    const ownEntries = (root: Uint8Array): readonly Uint8Array[] | undefined => this.#office?.ownEntries(root)
    this.#follower = new MapFollower({ membership, rpc: transport, connected, ownEntries, clock, random, logger })
    this.reader = new CertificateReader({
      network,
      membership,
      rpc: transport,
      connected,
      pool: this.#office?.pool,
      random,
      logger,
    })
    serveMap(transport, membership)
    if (profile === undefined) return
    const { addresses } = profile
    transport.handle('admission.challenge', async (request) => ({
      answer: answerChallenge({ network, key, addresses, clock }, request),
    }))
    this.#applicant = new Applicant({
      network,
      key,
      profile,
      rpc: transport,
      database,
      clock,
      random,
      logger,
      onState: () => this.#onAdmission(),
      submitLocally: (certificate) => this.#office?.pool.offer([certificate]),
    })
  }

  admission(): AdmissionState {
    const state = this.#applicant?.state() ?? { state: 'client' }
    return state.state === 'certified' ? { ...state, inMap: this.#inMap() } : state
  }

  /** Begins to apply, to follow and to lead; goes on until the scope closes. */
  start(): void {
    const { scope, transport, membership, network, clock, logger } = this.#init
    const fetch = (map: SignedMap, from: DidKey): void => this.#takeLater(map, from)
    const judge = { membership, follower: this.#follower, fetch, logger }
    const unsubscribe = transport.pubsub.subscribe(
      MAP_TOPIC,
      (message) => judgeMapNews(judge, message, scope.signal),
      (message) => this.#onGossip(message),
    )
    scope.defer('map topic', unsubscribe)
    scope.defer(
      'map listener',
      membership.onChange(() => this.#onMapChange()),
    )
    const lead = (epoch: number, signal: AbortSignal): Promise<boolean> => this.#lead(epoch, signal)
    const pull = (signal: AbortSignal): Promise<boolean> => this.#follower.pull(signal)
    const heldEpoch = (): number | undefined => membership.epoch
    const hearsGossip = (): boolean => membership.allows(transport.self, 'member')
    scope.spawn('map', (signal) => runEpochs({ network, clock, heldEpoch, lead, pull, hearsGossip }, signal))
    const applicant = this.#applicant
    if (applicant !== undefined) scope.spawn('admission', (signal) => applicant.run(signal))
  }

  #inMap(): boolean {
    return this.#init.membership.isMember(this.#init.key.id)
  }

  #onMapChange(): void {
    // Its failures are its own to note: it tries again with the next map.
    void this.#applicant?.resubmit(this.#inMap(), this.#init.scope.signal)
    this.#onAdmission()
  }

  /** Tells of a change, and only of a change: an epoch that changes nothing for this node is no news. */
  #onAdmission(): void {
    const now = JSON.stringify(this.admission())
    if (now === this.#told) return
    this.#told = now
    this.#init.onAdmission()
  }

  /** Leads the epoch when it is this node's turn. False when it was, and there is no map of it yet. */
  async #lead(epoch: number, signal: AbortSignal): Promise<boolean> {
    const { transport, membership, logger } = this.#init
    if (this.#office?.isLeader(epoch) !== true) return true
    try {
      const led = await this.#office.lead(epoch, signal)
      if (led === undefined) return false
      const before = membership.heldList()?.root
      await membership.adoptInSlices(led.map, led.entries, signal)
      await this.#office.publish(led.map, signal)
      await transport.pubsub.publish(MAP_TOPIC, encodeMapNews(membership, led.map, before))
    } catch (error) {
      if (signal.aborted) throw error
      logger.warn('the map of this epoch was not brought out', { epoch, code: codeOf(error), cause: messageOf(error) })
    }
    return membership.epoch === epoch
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

function codeOf(error: unknown): string | undefined {
  return error instanceof WeftError ? error.code : undefined
}
