import { Emitter, VirtualClock, compareBytes, silentLogger, utf8 } from '@weft/core'
import { type DidKey, type SigningKey, sha256 } from '@weft/crypto'
import {
  type AgreementMessage as WireMessage,
  type SignedMap,
  SignedMapSchema,
  type Succession,
  SuccessionSchema,
  create,
} from '@weft/wire'
import { encodeCertificateBody } from '../../src/admission/certificate-body.ts'
import type { AgreementMessage, Certificate } from '../../src/agreement/agreement-message.ts'
import { encodeProposal } from '../../src/agreement/proposal.ts'
import { encodeVote } from '../../src/agreement/vote.ts'
import { fromWire, toWire } from '../../src/agreement/wire-form.ts'
import type { Beacon } from '../../src/beacon/beacon.ts'
import type { EntryList } from '../../src/map/entry-list.ts'
import { atOnce } from '../../src/map/in-slices.ts'
import { encodeMapBody } from '../../src/map/map-body.ts'
import { mapReader } from '../../src/map/map-reader.ts'
import { epochStart } from '../../src/network/epoch.ts'
import { type Network, networkOf } from '../../src/network/network.ts'
import { MemoryMembershipStore } from '../../src/state/memory-membership-store.ts'
import type { SeatedMap } from '../../src/terms/handover-seats.ts'
import { handoverSet } from '../../src/terms/handover-value.ts'
import { Handover } from '../../src/terms/handover.ts'
import { Terms } from '../../src/terms/terms.ts'
import { type TestNetworkFile, advance, bodyOf, testNetwork } from '../fixtures.ts'
import { mapBodyOf } from '../map/many-entries.ts'
import { MemoryNetwork, type MemoryNode } from '../memory-network.ts'

/** Map epochs out of the maps after which a seat has lapsed. */
export const LAPSE = 6
export const VALIDATORS = 4

/** Four validators and eight others, of whom the first four ask for a seat. */
export function handoverFixture(changes: Record<string, unknown> = {}): TestNetworkFile {
  return testNetwork(VALIDATORS, 8, { recoveryAfterMs: LAPSE * 5_000, ...changes })
}

/** The map of this epoch with the nodes of these indexes. */
export function listOf(fixture: TestNetworkFile, epoch: number, indexes: readonly number[]): EntryList {
  const entries = indexes
    .map((index) => bodyOf(fixture, index, index < VALIDATORS + 4 ? { roles: ['validator', 'storage'] } : {}))
    .toSorted((a, b) => compareBytes(a.key, b.key))
    .map(encodeCertificateBody)
  return atOnce(mapReader.whole(mapBodyOf(fixture.network, entries, epoch), entries, undefined))
}

/** What is looked at of a map without a beacon. */
export function seatedMapOf(list: EntryList): SeatedMap {
  return { members: list.members, member: (id) => list.member(id), seed: list.root }
}

/** A decision by the validators of these places. */
export function decide(
  fixture: TestNetworkFile,
  value: Uint8Array,
  places: readonly number[],
  set = handoverSet(fixture.network, fixture.network.term),
): Certificate {
  const vote = { network: set.networkId, epoch: 0, round: 0, phase: 'precommit' as const, value: sha256(value) }
  const payload = encodeVote(vote)
  const signatures = new Map(
    places.map((place) => [place, (fixture.keys[place] as SigningKey).sign('agreement-vote', payload)]),
  )
  return { quorum: { vote, payload, signatures }, value }
}

/** How the decision is told. */
export function successionOf(fixture: TestNetworkFile, certificate: Certificate): Succession {
  const { body } = toWire(handoverSet(fixture.network, fixture.network.term), { kind: 'certificate', certificate })
  return create(SuccessionSchema, { number: 1, ...(body.case === 'certificate' ? { decision: body.value } : {}) })
}

export interface Seated {
  readonly network: Network
  readonly node: MemoryNode
  readonly store: MemoryMembershipStore
  readonly stop: () => Promise<void>
}

/** The validators of one network on one clock, without sockets; the maps are what the test says. */
export class HandoverScene implements AsyncDisposable {
  readonly fixture: TestNetworkFile
  readonly clock: VirtualClock
  readonly memory: MemoryNetwork
  readonly #maps = new Emitter<{ map: undefined }>()
  readonly #running: Seated[] = []
  readonly #beacons: boolean
  #epoch = 0
  #list: EntryList | undefined
  #head: SignedMap | undefined

  /** @param beacons whether each map carries the beacon of the epoch before */
  constructor(fixture = handoverFixture(), beacons = false) {
    this.fixture = fixture
    this.#beacons = beacons
    this.clock = new VirtualClock(fixture.network.file.createdAt)
    this.memory = new MemoryNetwork(this.clock)
  }

  get epoch(): number {
    return this.#epoch
  }

  seat(place: number, store = new MemoryMembershipStore()): Seated {
    const { fixture, clock } = this
    const key = fixture.keys[place] as SigningKey
    const node = this.memory.add(key.id)
    const network = networkOf(fixture.network.file)
    const epoch = (): number | undefined => (this.#list === undefined ? undefined : this.#epoch)
    const terms = new Terms({ network, store, heldEpoch: epoch, logger: silentLogger })
    const membership = {
      head: () => this.#head,
      heldList: () => this.#list,
      onChange: (listener: () => void) => this.#maps.on('map', listener),
    }
    const { term } = network
    const stop = new AbortController()
    const handover = new Handover({
      network,
      terms,
      term,
      key,
      membership,
      rpc: node.rpc,
      store,
      clock,
      logger: silentLogger,
    })
    const running = handover.run(stop.signal).catch(() => {})
    const seated = {
      network,
      node,
      store,
      stop: async () => {
        stop.abort()
        await running
      },
    }
    this.#running.push(seated)
    return seated
  }

  /** A validator in other hands: what it is told is kept, and it says what the test says. */
  hostile(place: number): { readonly node: MemoryNode; readonly heard: AgreementMessage[] } {
    const node = this.memory.add((this.fixture.keys[place] as SigningKey).id)
    const heard: AgreementMessage[] = []
    const set = handoverSet(this.fixture.network, this.fixture.network.term)
    node.rpc.handle('handover.send', async ({ message }) => {
      if (message !== undefined) heard.push(fromWire(set, message))
      return {}
    })
    node.rpc.handle('handover.pull', async () => ({ messages: [] }))
    return { node, heard }
  }

  /** Lets so many epochs pass, each with a map of these nodes; the last only for so many ms. */
  async maps(epochs: number, indexes: readonly number[], lastMs = 4_900): Promise<void> {
    for (let count = 0; count < epochs; count++) {
      this.#epoch++
      this.#list = listOf(this.fixture, this.#epoch, indexes)
      this.#head = this.#headOf(this.#list)
      await advance(this.clock, epochStart(this.fixture.network.file, this.#epoch) - this.clock.now())
      this.#maps.emit('map', undefined)
      await advance(this.clock, count < epochs - 1 ? 4_900 : lastMs)
    }
  }

  #headOf(list: EntryList): SignedMap {
    const body = mapBodyOf(this.fixture.network, list.bytes(), this.#epoch)
    const beacon = this.#beacons ? beaconOf(this.#epoch - 1) : undefined
    return create(SignedMapSchema, { body: encodeMapBody({ ...body, beacon }) })
  }

  get list(): SeatedMap {
    if (this.#list === undefined) throw new RangeError('there is no map yet')
    return seatedMapOf(this.#list)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#running.map(({ stop }) => stop()))
  }
}

/** The beacon of an epoch, in a network that has one in each. */
export const beaconOf = (epoch: number): Beacon => ({
  epoch,
  value: sha256(utf8(`beacon ${epoch}`)),
  previous: epoch - 1,
})

/** A fresh proposal of round 0 by the validator whose turn it is. */
export function proposalOf(fixture: TestNetworkFile, value: Uint8Array): WireMessage {
  const set = handoverSet(fixture.network, fixture.network.term)
  const proposer = set.proposer(0, 0)
  const proposal = { network: set.networkId, epoch: 0, round: 0, lockRound: undefined, value: sha256(value) }
  const payload = encodeProposal(proposal)
  const signature = (fixture.keys[proposer] as SigningKey).sign('agreement-proposal', payload)
  return toWire(set, { kind: 'proposal', proposal: { proposal, payload, proposer, signature, value, lock: undefined } })
}

/** The first prevote of round 0 that each place gave: its hash, or null for one for nothing. */
export function prevotes(heard: readonly AgreementMessage[]): ReadonlyMap<number, Uint8Array | null> {
  const first = new Map<number, Uint8Array | null>()
  for (const message of heard) {
    if (message.kind !== 'vote' || message.vote.vote.phase !== 'prevote' || message.vote.vote.round !== 0) continue
    if (!first.has(message.vote.voter)) first.set(message.vote.voter, message.vote.vote.value ?? null)
  }
  return first
}

/** Ids of validators. */
export const idsOf = (network: Network): readonly DidKey[] => network.validators.map(({ id }) => id)
