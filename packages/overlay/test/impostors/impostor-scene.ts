import { type Random, VirtualClock, compareBytes, randomInt, seededRandom, silentLogger } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import type { Certificate, SignedMap } from '@weft/wire'
import { type CertificateBody, encodeCertificateBody } from '../../src/admission/certificate-body.ts'
import { type Network, networkOf } from '../../src/network/network.ts'
import { MAX_ASN } from '../../src/network/place.ts'
import { Revocations } from '../../src/revocation/revocations.ts'
import { toWireRevocation } from '../../src/revocation/revocation.ts'
import { MemoryMembershipStore } from '../../src/state/memory-membership-store.ts'
import { BEGIN, EPOCH, type TestNetworkFile, bodyOf, revocationOf, testNetwork, wireCertificate } from '../fixtures.ts'
import { signedMapOf } from '../map/many-entries.ts'

const DAY_MS = 86_400_000
const DAY_EPOCHS = DAY_MS / EPOCH
/** Epoch from which the validators of the second term sign; the first have had no say for two days. */
export const SECOND_TERM = 20 * DAY_EPOCHS
/** Epoch of the map that is held; the next is the newest. */
export const HELD = 22 * DAY_EPOCHS
/** Last epoch whose map is too old for a node that holds none. */
export const ANCIENT = HELD - 14 * DAY_EPOCHS - 2
const ISSUED = HELD - 1_000
const STRANGE_KEYS = 256
/** Places in the table of keys: validators of the first term, those of the second, other members, and so on. */
const PLACES = { former: 0, present: 4, members: 8, newcomer: 10, departed: 11, ejected: 12, count: 13 } as const

/** A map with all that it is made of. */
export interface WholeMap {
  readonly map: SignedMap
  readonly entries: readonly Uint8Array[]
}

/**
 * A network in its second term of validators, with what is rightly of it, and what an attacker may have of it: everything
 * that was ever sent, the keys of all validators of the first term and of one, f, of the second, and a network of its own
 * in which the same keys hold office.
 */
export class ImpostorScene {
  readonly network: Network
  /** Another network with the same validators, all of them. */
  readonly twin: Network
  readonly nextEpoch = HELD + 1
  readonly now = BEGIN + (HELD + 1) * EPOCH + 10
  readonly clock = new VirtualClock(this.now)
  /** Of all four, of whom three are a quorum. */
  readonly present: readonly SigningKey[]
  readonly former: readonly SigningKey[]
  /** Validators of now, as many as may be hostile. */
  readonly hostile: readonly SigningKey[]
  /** Of the validators of now. */
  readonly quorum: readonly SigningKey[]
  /** Members of the map that is held. */
  readonly heldBodies: readonly CertificateBody[]
  /** Members of the next map: a newcomer is in it, and one certificate was renewed. */
  readonly nextBodies: readonly CertificateBody[]
  readonly held: WholeMap
  readonly next: WholeMap
  /** Of the newcomer, which the validators certified just now. */
  readonly newcomer: Certificate
  /** Of every member that is held. */
  readonly certificates: readonly Certificate[]
  readonly random: Random
  readonly #table: TestNetworkFile
  readonly #strange: readonly SigningKey[]

  /** @param seed of the attacker's choices */
  constructor(seed: number) {
    this.random = seededRandom(seed)
    this.#strange = Array.from({ length: STRANGE_KEYS }, () => new SigningKey(this.random.bytes(32)))
    this.#table = testNetwork(PLACES.present, PLACES.count - PLACES.present)
    const { keys } = this.#table
    this.former = keys.slice(PLACES.former, PLACES.present)
    this.present = keys.slice(PLACES.present, PLACES.members)
    this.quorum = this.present.slice(0, 3)
    this.hostile = this.present.slice(-1)
    this.network = this.#table.network
    this.twin = networkOf({ ...this.network.file, name: 'twin' })
    for (const network of [this.network, this.twin]) this.#beginSecondTerm(network)
    const stayed = [0, 1, 2, 3].map((nth) => this.body('present', {}, nth))
    const renewed = this.body('members', { issuedEpoch: ISSUED + 10 }, 1)
    this.heldBodies = [...stayed, this.body('members'), this.body('members', {}, 1)]
    this.nextBodies = [...stayed, this.body('members'), renewed, this.body('newcomer')]
    this.newcomer = this.certificate(this.body('newcomer'))
    this.certificates = this.heldBodies.map((body) => this.certificate(body))
    this.held = this.map(this.heldBodies, HELD)
    this.next = this.map(this.nextBodies, HELD + 1)
  }

  /** What is rightly certified of the node in a place of the table. */
  body(place: keyof typeof PLACES, changes: Partial<CertificateBody> = {}, nth = 0): CertificateBody {
    const issuedEpoch = changes.issuedEpoch ?? ISSUED
    const expiresAt = BEGIN + issuedEpoch * EPOCH + this.network.file.certificateTtlMs
    return bodyOf(this.#table, PLACES[place] + nth, { expiresAt, ...changes, issuedEpoch })
  }

  /** Of a key that nobody ever certified. */
  impostor(changes: Partial<CertificateBody> = {}): CertificateBody {
    const key = this.strangeKey()
    const asn = 1 + randomInt(this.random, MAX_ASN)
    const diversityAddress = [...this.random.bytes(4)].join('.')
    return this.body('newcomer', { key: key.publicKey, id: key.id, asn, diversityAddress, ...changes })
  }

  /** One of those that the attacker made; what is signed with them differs each time. */
  strangeKey(): SigningKey {
    return this.#strange[randomInt(this.random, STRANGE_KEYS)] as SigningKey
  }

  /** With the votes of a quorum, unless others vote. */
  certificate(body: CertificateBody, voters: readonly SigningKey[] = this.quorum): Certificate {
    return wireCertificate(body, voters)
  }

  map(bodies: readonly CertificateBody[], epoch: number, signers = this.quorum, network = this.network): WholeMap {
    const entries = entriesOf(bodies)
    return { map: signedMapOf(network, signers, entries, epoch), entries }
  }

  /** In force: one node was ejected. */
  revocations(): Revocations {
    const { network, clock } = this
    const database = new MemoryMembershipStore()
    const revocations = new Revocations({ network, database, clock, logger: silentLogger })
    const { key } = this.body('ejected')
    const decided = { network: this.network.id, key, issuedUpTo: HELD, reason: 'conformance' } as const
    const body = { ...decided, blockedUntil: this.now + DAY_MS, decidedAt: this.now - 1_000 }
    revocations.offer(toWireRevocation(revocationOf(this.#table, body, this.quorum)))
    return revocations
  }

  #beginSecondTerm(network: Network): void {
    const validators = this.present.map(({ id }, index) => ({
      id,
      addresses: this.body('present', {}, index).addresses,
      family: this.body('present', {}, index).family,
    }))
    network.begin({ number: 1, fromEpoch: SECOND_TERM, validators, rotation: 0 })
  }
}

/** As a map lists them. */
export function entriesOf(bodies: readonly CertificateBody[]): Uint8Array[] {
  return bodies.toSorted((a, b) => compareBytes(a.key, b.key)).map(encodeCertificateBody)
}
