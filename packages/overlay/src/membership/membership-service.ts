import { type Clock, type Logger, type Random, type Scope, WeftError, isWeftError, messageOf } from '@weft/core'
import type { DidKey, SigningKey } from '@weft/crypto'
import { type SignedMap, SignedMapSchema, decodeMessage, encodeMessage } from '@weft/wire'
import type { AdmissionProfile } from '../admission/admission-profile.ts'
import type { AdmissionProof } from '../admission/admission-proof.ts'
import { Applicant } from '../admission/applicant.ts'
import { answerChallenge } from '../admission/challenge-responder.ts'
import type { ConformanceProbe } from '../admission/probe.ts'
import type { StakeVerifier } from '../admission/stake-verifier.ts'
import { CertificateReader } from '../map/certificate-reader.ts'
import { MapFollower } from '../map/map-follower.ts'
import { runEpochs } from '../map/map-schedule.ts'
import { serveMap } from '../map/map-server.ts'
import { MAX_SIGNED_MAP, type SignedMembership } from '../map/signed-membership.ts'
import type { Network } from '../network/network.ts'
import type { AdmissionState } from '../overlay.ts'
import type { MembershipDatabase } from '../state/membership-database.ts'
import type { TopicMessage, Verdict } from '../transport/pub-sub.ts'
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
  /** What the policy of the network asks for, to be shown to validators. */
  readonly proof: AdmissionProof | undefined
  /** Of a validator that can judge proofs of stake. */
  readonly stake: StakeVerifier | undefined
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
    const { network, key, membership, database, transport, profile, proof, stake, probes, clock, random, logger } = init
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
        stake,
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
      proof,
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
    const { scope, transport, membership, network, clock } = this.#init
    const unsubscribe = transport.pubsub.subscribe(
      MAP_TOPIC,
      (message) => this.#judge(message),
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
      membership.adopt(led.map, led.entries)
      await this.#office.publish(led.map, signal)
      await transport.pubsub.publish(MAP_TOPIC, encodeMessage(SignedMapSchema, led.map))
    } catch (error) {
      if (signal.aborted) throw error
      logger.warn('the map of this epoch was not brought out', { epoch, code: codeOf(error), cause: messageOf(error) })
    }
    return membership.epoch === epoch
  }

  /** What gossip passes on: only heads that this node believes. */
  #judge({ data }: TopicMessage): Verdict {
    try {
      this.#init.membership.verify(decodeMessage(SignedMapSchema, data, MAX_SIGNED_MAP))
      return 'accept'
    } catch (error) {
      // Old maps come by honest delay, future ones by a clock that may be our own.
      return isWeftError(error, 'E_MAP_OLD') || isWeftError(error, 'E_MAP_FUTURE') ? 'ignore' : 'reject'
    }
  }

  #onGossip({ data, from }: TopicMessage): void {
    const { logger, scope } = this.#init
    this.#take(decodeMessage(SignedMapSchema, data, MAX_SIGNED_MAP), from).catch((error: unknown) => {
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
