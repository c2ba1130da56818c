import { X509Certificate } from 'node:crypto'
import { WeftError, equalBytes, silentLogger, systemRandom, toHex } from '@weft/core'
import { CertificateSchema, SignedMapSchema, decodeMessage } from '@weft/wire'
import { CertificatePool, MAX_WIRE_CERTIFICATE } from '../../src/admission/certificate-pool.ts'
import { certificateHash, encodeCertificateBody } from '../../src/admission/certificate-body.ts'
import { MapFollower } from '../../src/map/map-follower.ts'
import { MAP_CHECKS, type MapCheck } from '../../src/map/map-checks.ts'
import { MAX_SIGNED_MAP, SignedMembership } from '../../src/map/signed-membership.ts'
import { unpackChanges } from '../../src/map/unpack-changes.ts'
import { MemoryMembershipStore } from '../../src/state/memory-membership-store.ts'
import { didOfPeer, toPrivateKey } from '../../src/transport/peer-id.ts'
import { createHostCertificate } from '../../src/transport/tls/host-certificate.ts'
import { verifyCertificate } from '../../src/transport/tls/verify-certificate.ts'
import type { CertificateBody } from '../../src/admission/certificate-body.ts'
import type { ImpostorScene } from './impostor-scene.ts'

/** What somebody sends to be taken for a member, as it crosses the wire. */
export type Attempt =
  /** To a validator: a certificate for the next map. */
  | { readonly door: 'certificate'; readonly bytes: Uint8Array }
  /** To a member: a map and its entries. */
  | { readonly door: 'map'; readonly bytes: Uint8Array; readonly entries: readonly Uint8Array[] }
  /** To a node that holds no map yet. */
  | { readonly door: 'first map'; readonly bytes: Uint8Array; readonly entries: readonly Uint8Array[] }
  /** To a member: a map and what changed since the one that is held. */
  | { readonly door: 'changes'; readonly bytes: Uint8Array; readonly packed: Uint8Array }
  /** To anybody: the certificate of a TLS handshake, which says who calls. */
  | { readonly door: 'handshake'; readonly bytes: Uint8Array }

/** The code of a refusal; `right` where it was let in and had the right to: the original in another envelope. */
export type Outcome = { readonly refused: string } | 'right' | 'accepted'

/** Everything through which a key becomes one of a member at a node: the code that ships, with what it holds in memory. */
export class Doors {
  readonly #scene: ImpostorScene
  readonly #checks: readonly MapCheck[]
  /** What is certified now: the certificates of the next map. */
  readonly #rightful: ReadonlySet<string>
  readonly #hosts: ReadonlyMap<string, Uint8Array>
  #pool: CertificatePool
  #member: SignedMembership
  #newcomer: SignedMembership

  private constructor(scene: ImpostorScene, checks: readonly MapCheck[], hosts: ReadonlyMap<string, Uint8Array>) {
    this.#scene = scene
    this.#checks = checks
    this.#hosts = hosts
    this.#rightful = new Set(scene.nextBodies.map(nameOf))
    this.#pool = this.#openPool()
    this.#member = this.#openMember()
    this.#newcomer = this.#openMembership()
  }

  /** @param checks of maps; a test leaves one out to see that it is missed */
  static async open(scene: ImpostorScene, checks: readonly MapCheck[] = MAP_CHECKS): Promise<Doors> {
    const hosts = new Map<string, Uint8Array>()
    for (const key of scene.present) hosts.set(key.id, (await createHostCertificate(toPrivateKey(key))).certificate)
    return new Doors(scene, checks, hosts)
  }

  /** What the validators of now show in handshakes; it is no secret. */
  get hosts(): ReadonlyMap<string, Uint8Array> {
    return this.#hosts
  }

  /** @throws what is not the refusal that a node expects */
  async enter(attempt: Attempt): Promise<Outcome> {
    try {
      const outcome = await this.#enter(attempt)
      if (outcome !== 'refused') return outcome
      return { refused: 'nothing changed' }
    } catch (error) {
      if (!(error instanceof WeftError)) throw error
      const isHarmless = this.#poolOutcome() === 'refused' && this.#membershipOutcome(this.#member) === 'refused'
      return isHarmless ? { refused: error.code } : 'accepted'
    }
  }

  async #enter(attempt: Attempt): Promise<Exclude<Outcome, object> | 'refused'> {
    switch (attempt.door) {
      case 'certificate':
        this.#pool.submit(decodeMessage(CertificateSchema, attempt.bytes, MAX_WIRE_CERTIFICATE))
        return this.#afterPool()
      case 'map':
        this.#member.adopt(decodeMessage(SignedMapSchema, attempt.bytes, MAX_SIGNED_MAP), attempt.entries)
        return this.#afterMap()
      case 'first map':
        this.#newcomer.adopt(decodeMessage(SignedMapSchema, attempt.bytes, MAX_SIGNED_MAP), attempt.entries)
        return this.#afterFirstMap()
      case 'changes':
        await this.#follow(attempt)
        return this.#afterMap()
      case 'handshake':
        return this.#shake(attempt.bytes)
    }
  }

  #follow({ bytes, packed }: Extract<Attempt, { door: 'changes' }>): Promise<boolean> {
    const membership = this.#member
    const { clock } = this.#scene
    const follower = new MapFollower({
      membership,
      clock,
      rpc: { call: () => Promise.reject(new TypeError('nobody is asked')) },
      connected: () => [],
      ownEntries: () => undefined,
      random: systemRandom,
      logger: silentLogger,
    })
    const map = decodeMessage(SignedMapSchema, bytes, MAX_SIGNED_MAP)
    const from = membership.heldList()?.root ?? new Uint8Array(32)
    return follower.offerChanges(map, from, unpackChanges(packed), new AbortController().signal)
  }

  /** Who comes with the name of a member must have the TLS key that this member vouched for. */
  async #shake(raw: Uint8Array): Promise<'right' | 'accepted' | 'refused'> {
    const own = this.#hosts.get(didOfPeer(await verifyCertificate(raw, this.#scene.now)))
    if (own === undefined) return 'refused'
    return equalBytes(tlsKey(own), tlsKey(raw)) ? 'right' : 'accepted'
  }

  #afterPool(): 'right' | 'accepted' | 'refused' {
    const outcome = this.#poolOutcome()
    if (outcome !== 'refused') this.#pool = this.#openPool()
    return outcome
  }

  #afterMap(): 'right' | 'accepted' | 'refused' {
    const outcome = this.#membershipOutcome(this.#member)
    if (outcome !== 'refused') this.#member = this.#openMember()
    return outcome
  }

  #afterFirstMap(): 'right' | 'accepted' | 'refused' {
    const isRight = this.#isNext(this.#newcomer)
    this.#newcomer = this.#openMembership()
    return isRight ? 'right' : 'accepted'
  }

  #poolOutcome(): 'right' | 'accepted' | 'refused' {
    const valid = this.#pool.valid(this.#scene.now)
    const isRight = valid.every(({ hash }) => this.#rightful.has(toHex(hash)))
    if (!isRight || valid.length < this.#scene.heldBodies.length) return 'accepted'
    return valid.length === this.#scene.heldBodies.length ? 'refused' : 'right'
  }

  #membershipOutcome(membership: SignedMembership): 'right' | 'accepted' | 'refused' {
    if (equalBytes(membership.head()?.body ?? new Uint8Array(), this.#scene.held.map.body)) return 'refused'
    return this.#isNext(membership) ? 'right' : 'accepted'
  }

  #isNext(membership: SignedMembership): boolean {
    const members = membership.members()
    const isRight = members.every(({ certificateHash: hash }) => this.#rightful.has(toHex(hash)))
    const isOfNow = equalBytes(membership.head()?.body ?? new Uint8Array(), this.#scene.next.map.body)
    return isRight && isOfNow && members.length === this.#rightful.size
  }

  /** A validator that has the newest certificate of each member. */
  #openPool(): CertificatePool {
    const { network, clock, heldBodies, nextBodies } = this.#scene
    const pool = new CertificatePool(network, new MemoryMembershipStore(), clock, this.#scene.revocations())
    for (const body of nextBodies.slice(0, heldBodies.length)) pool.submit(this.#scene.certificate(body))
    return pool
  }

  #openMember(): SignedMembership {
    const { map, entries } = this.#scene.held
    const membership = this.#openMembership()
    membership.adopt(map, entries)
    return membership
  }

  #openMembership(): SignedMembership {
    const { network, clock } = this.#scene
    const [database, revocations] = [new MemoryMembershipStore(), this.#scene.revocations()]
    return new SignedMembership({ network, database, revocations, clock, logger: silentLogger, checks: this.#checks })
  }
}

function nameOf(body: CertificateBody): string {
  return toHex(certificateHash(encodeCertificateBody(body)))
}

function tlsKey(raw: Uint8Array): Uint8Array {
  return new Uint8Array(new X509Certificate(raw).publicKey.export({ format: 'der', type: 'spki' }))
}
