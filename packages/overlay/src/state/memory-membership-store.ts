import { toHex } from '@weft/core'
import { sha256 } from '@weft/crypto'
import type { StoredAvailability } from '../absence/availability-store.ts'
import { KEPT_EPOCHS } from '../agreement/agreement-store.ts'
import { KEPT_BEACONS } from '../beacon/beacon-store.ts'
import type { Beacon } from '../beacon/beacon.ts'
import type { KeptRevocationVote, StoredRevocation, StoredRevocationVote } from '../revocation/revocation-database.ts'
import type { StoredSeat } from '../invitation/invitation-seats.ts'
import type { StoredRecovery } from '../terms/term-store.ts'
import type { MembershipStore, StoredCertificate, StoredChanges, StoredMap } from './membership-store.ts'

/** Of each list of entries once: thousands of nodes that start again read the same one. */
const bytes = new WeakMap<StoredChanges['all'], readonly Uint8Array[]>()

/**
 * The state of membership in memory: for nodes that have no disk, as those of a simulation. It keeps what it is given
 * without a copy, so that nodes that hold the same map hold it once; nobody changes bytes that were handed over.
 */
export class MemoryMembershipStore implements MembershipStore {
  #own: Uint8Array | undefined
  #signed: { readonly epoch: number; readonly bodyHash: Uint8Array } | undefined
  #map: Uint8Array | undefined
  readonly #beacons = new Map<number, Beacon>()
  #computed: Beacon | undefined
  #entries: StoredChanges['all'] = []
  readonly #agreements = new Map<number, Uint8Array>()
  /** By public key, hex. */
  readonly #evidence = new Map<string, Uint8Array>()
  /** By public key, hex. */
  readonly #revocations = new Map<string, StoredRevocation>()
  /** By the hash of the body and the signer, hex. */
  readonly #revocationVotes = new Map<string, StoredRevocationVote>()
  readonly #openers = new Map<string, Uint8Array>()
  /** By public key, hex. */
  readonly #certificates = new Map<string, StoredCertificate>()
  /** By part. */
  readonly #availability = new Map<number, StoredAvailability>()
  readonly #successions = new Map<number, Uint8Array>()
  #rotation: { readonly number: number; readonly value: Uint8Array } | undefined
  #handover: { readonly number: number; readonly state: Uint8Array } | undefined
  #recovery: { readonly number: number; readonly stored: StoredRecovery } | undefined
  /** By the name of the invitation, then by public key, both hex. */
  readonly #seats = new Map<string, Map<string, StoredSeat>>()

  ownCertificate(): Uint8Array | undefined {
    return this.#own
  }

  saveOwnCertificate(certificate: Uint8Array): void {
    this.#own = certificate
  }

  lastSigned(): { readonly epoch: number; readonly bodyHash: Uint8Array } | undefined {
    return this.#signed
  }

  saveSigned(epoch: number, bodyHash: Uint8Array): void {
    this.#signed = { epoch, bodyHash }
  }

  agreement(epoch: number): Uint8Array | 'spent' | undefined {
    const known = this.#agreements.get(epoch)
    if (known !== undefined) return known
    const isFull = this.#agreements.size >= KEPT_EPOCHS
    return isFull && epoch < Math.min(...this.#agreements.keys()) ? 'spent' : undefined
  }

  saveAgreement(epoch: number, state: Uint8Array): void {
    this.#agreements.set(epoch, state)
    if (this.#agreements.size > KEPT_EPOCHS) this.#agreements.delete(Math.min(...this.#agreements.keys()))
  }

  evidence(): Uint8Array[] {
    return [...this.#evidence.values()]
  }

  saveEvidence(validator: Uint8Array, evidence: Uint8Array): void {
    const key = toHex(validator)
    if (!this.#evidence.has(key)) this.#evidence.set(key, evidence)
  }

  beacons(): readonly Beacon[] {
    return [...this.#beacons.values()].sort((a, b) => a.epoch - b.epoch)
  }

  saveBeacon(beacon: Beacon): void {
    this.#beacons.set(beacon.epoch, beacon)
    if (this.#beacons.size > KEPT_BEACONS) this.#beacons.delete(Math.min(...this.#beacons.keys()))
  }

  computedBeacon(): Beacon | undefined {
    return this.#computed
  }

  saveComputedBeacon(beacon: Beacon): void {
    this.#computed = beacon
  }

  revocations(): Uint8Array[] {
    return [...this.#revocations.values()].map(({ revocation }) => revocation)
  }

  saveRevocation(revocation: StoredRevocation): void {
    this.#revocations.set(toHex(revocation.key), revocation)
  }

  dropEndedRevocations(now: number): void {
    for (const [key, { endsAt }] of this.#revocations) if (endsAt <= now) this.#revocations.delete(key)
  }

  revocationVotes(): KeptRevocationVote[] {
    return [...this.#revocationVotes.values()].map((vote) => ({
      ...vote,
      opener: this.#openers.get(toHex(sha256(vote.body))),
    }))
  }

  saveRevocationVote(vote: StoredRevocationVote): void {
    const hash = toHex(sha256(vote.body))
    const name = hash + toHex(vote.signer)
    if (!this.#openers.has(hash)) this.#openers.set(hash, vote.signer)
    if (!this.#revocationVotes.has(name)) this.#revocationVotes.set(name, vote)
  }

  dropRevocationVotes(hash: Uint8Array, signer = new Uint8Array()): void {
    const names = toHex(hash) + toHex(signer)
    for (const name of this.#revocationVotes.keys()) if (name.startsWith(names)) this.#revocationVotes.delete(name)
    if (!this.#revocationVotes.keys().some((name) => name.startsWith(toHex(hash)))) this.#openers.delete(toHex(hash))
  }

  certificateKeys(now: number): Uint8Array[] {
    return [...this.#certificates.values()].filter(({ expiresAt }) => expiresAt > now).map(({ key }) => key)
  }

  certificate(key: Uint8Array): Uint8Array | undefined {
    return this.#certificates.get(toHex(key))?.certificate
  }

  saveCertificates(certificates: readonly StoredCertificate[]): void {
    for (const certificate of certificates) this.#certificates.set(toHex(certificate.key), certificate)
  }

  dropExpiredCertificates(now: number): void {
    for (const [key, { expiresAt }] of this.#certificates) if (expiresAt <= now) this.#certificates.delete(key)
  }

  seat(invitation: Uint8Array, key: Uint8Array): StoredSeat | undefined {
    return this.#seats.get(toHex(invitation))?.get(toHex(key))
  }

  seatsOfOthers(invitation: Uint8Array, key: Uint8Array, now: number): number {
    const own = toHex(key)
    const seats = this.#seats.get(toHex(invitation)) ?? new Map<string, StoredSeat>()
    return [...seats].filter(([holder, { until }]) => holder !== own && until > now).length
  }

  saveSeat(invitation: Uint8Array, seat: StoredSeat, now: number): void {
    for (const [name, seats] of this.#seats) {
      for (const [holder, { until }] of seats) if (until <= now) seats.delete(holder)
      if (seats.size === 0) this.#seats.delete(name)
    }
    const name = toHex(invitation)
    const seats = this.#seats.get(name) ?? new Map<string, StoredSeat>()
    this.#seats.set(name, seats.set(toHex(seat.key), seat))
  }

  succession(number: number): Uint8Array | undefined {
    return this.#successions.get(number)
  }

  saveSuccession(number: number, succession: Uint8Array): void {
    this.#successions.set(number, succession)
  }

  recovery(number: number): StoredRecovery | undefined {
    return this.#recovery?.number === number ? this.#recovery.stored : undefined
  }

  saveRecovery(number: number, stored: StoredRecovery): void {
    this.#recovery = { number, stored }
  }

  handover(number: number): Uint8Array | undefined {
    return this.#handover?.number === number ? this.#handover.state : undefined
  }

  saveHandover(number: number, state: Uint8Array): void {
    this.#handover = { number, state }
  }

  rotation(number: number): Uint8Array | undefined {
    return this.#rotation?.number === number ? this.#rotation.value : undefined
  }

  saveRotation(number: number, value: Uint8Array | undefined): void {
    this.#rotation = value === undefined ? undefined : { number, value }
  }

  availability(): StoredAvailability[] {
    return [...this.#availability.values()].sort((a, b) => a.part - b.part)
  }

  saveAvailability(stored: StoredAvailability, upTo: number): void {
    for (const part of this.#availability.keys()) if (part <= upTo) this.#availability.delete(part)
    this.#availability.set(stored.part, stored)
  }

  map(): StoredMap | undefined {
    if (this.#map === undefined) return undefined
    return { map: this.#map, entries: bytesOf(this.#entries) }
  }

  /** Holds the list that it is given, and so no list of its own: thousands of nodes have the same map. */
  saveMap(map: Uint8Array, { all }: StoredChanges): void {
    this.#map = map
    this.#entries = all
  }
}

function bytesOf(entries: StoredChanges['all']): readonly Uint8Array[] {
  let known = bytes.get(entries)
  if (known === undefined) bytes.set(entries, (known = entries.map((entry) => entry.bytes)))
  return known
}
