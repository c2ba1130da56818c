import { compareBytes } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import { sha256 } from '@weft/crypto'
import { type SignedMap, type Succession, SuccessionSchema, create } from '@weft/wire'
import { encodeCertificateBody } from '../../src/admission/certificate-body.ts'
import type { Certificate } from '../../src/agreement/agreement-message.ts'
import { type Phase, encodeVote } from '../../src/agreement/vote.ts'
import type { EntryList } from '../../src/map/entry-list.ts'
import { atOnce } from '../../src/map/in-slices.ts'
import { type MapBody, decodeMapBody } from '../../src/map/map-body.ts'
import type { MapEntry } from '../../src/map/map-entry.ts'
import { mapReader } from '../../src/map/map-reader.ts'
import { type Network, networkOf } from '../../src/network/network.ts'
import { type Electors, drawElectors } from '../../src/terms/electors.ts'
import { silenceEpochs } from '../../src/terms/recovery-times.ts'
import { type RecoveryValue, encodeRecoveryValue } from '../../src/terms/recovery-value.ts'
import { successionGround, toSuccession } from '../../src/terms/succession.ts'
import type { Term } from '../../src/terms/term.ts'
import { bodyOf, type TestNetworkFile, testNetwork } from '../fixtures.ts'
import { signedMapOf } from '../map/many-entries.ts'

/** Epoch of the last map of the validators of the file. */
export const ANCHOR = 10

export interface Decided {
  readonly round?: number
  readonly phase?: Phase
  readonly epoch?: number
  readonly context?: string
  /** Places of those who vote; by default a quorum. */
  readonly voters?: readonly number[]
}

/** A network whose validators made a last map, and what its electors then decide. */
export class Orphans {
  readonly fixture: TestNetworkFile
  readonly network: Network
  /** The term that ends. */
  readonly term: Term
  readonly head: SignedMap
  readonly anchor: MapBody
  readonly list: EntryList
  readonly electors: Electors
  readonly entries: readonly Uint8Array[]

  /** @param network knows the terms that are over already; by default none is */
  constructor(fixture: TestNetworkFile, epoch = ANCHOR, network = networkOf(fixture.network.file)) {
    this.fixture = fixture
    this.network = network
    this.term = network.term
    this.entries = fixture.keys
      .map((_, index) => bodyOf(fixture, index))
      .toSorted((a, b) => compareBytes(a.key, b.key))
      .map(encodeCertificateBody)
    const signers = fixture.keys.filter(({ id }) => network.termAt(epoch).isValidator(id))
    this.head = signedMapOf(network, signers, this.entries, epoch)
    this.anchor = decodeMapBody(this.head.body)
    this.list = atOnce(mapReader.whole(this.anchor, this.entries, undefined))
    this.electors = drawElectors(this.anchor, this.term, (at) => this.list.entries[at] as MapEntry)
  }

  /** The key of an elector, by its place. */
  keyOf(elector: number): SigningKey {
    const id = this.electors.members[elector]?.member.id
    const key = this.fixture.keys.find((one) => one.id === id)
    if (key === undefined) throw new RangeError(`no elector ${elector}`)
    return key
  }

  get firstEpoch(): number {
    return this.anchor.epoch + silenceEpochs(this.network.file)
  }

  decide(value: Uint8Array, { round = 0, phase = 'precommit', epoch, context, voters }: Decided = {}): Certificate {
    const { set } = this.electors
    const vote = {
      network: context ?? set.networkId,
      epoch: epoch ?? this.anchor.epoch,
      round,
      phase,
      value: sha256(value),
    }
    const payload = encodeVote(vote)
    const places = voters ?? Array.from({ length: set.quorum }, (_, place) => place)
    const signatures = new Map(places.map((place) => [place, this.keyOf(place).sign('agreement-vote', payload)]))
    return { quorum: { vote, payload, signatures }, value }
  }

  /** The term that begins when all take part, or when these seats are decided. */
  succession(value: Partial<RecoveryValue> = {}, decided: Decided = {}): Succession {
    const bytes = encodeRecoveryValue({ fromEpoch: this.firstEpoch, seats: [0, 1, 2, 3], ...value })
    const ground = successionGround(this.term, this.head, this.list, this.electors)
    return toSuccession(ground, this.electors, this.decide(bytes, decided))
  }
}

/** Four validators and twelve others, of whom nine must agree, unless told otherwise. */
export function orphans(validators = 4, others = 12, changes: Record<string, unknown> = {}): Orphans {
  return new Orphans(testNetwork(validators, others, changes))
}

/** A copy with changes. */
export function changed(succession: Succession, changes: Record<string, unknown>): Succession {
  return create(SuccessionSchema, { ...succession, ...changes })
}
