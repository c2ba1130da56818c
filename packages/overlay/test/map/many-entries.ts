import { type Random, compareBytes, randomInt, seededRandom } from '@weft/core'
import { type SigningKey, toDidKey } from '@weft/crypto'
import { type SignedMap, SignedMapSchema, create } from '@weft/wire'
import { type CertificateBody, encodeCertificateBody } from '../../src/admission/certificate-body.ts'
import { type MapBody, encodeMapBody } from '../../src/map/map-body.ts'
import { mapRoot } from '../../src/map/map-entries.ts'
import type { Network } from '../../src/network/network.ts'
import { NO_BEACON } from '../fixtures.ts'

/** Certificate bodies of nodes as there may be in the open: addresses all over, half of them carrying packets. */
export class ManyEntries {
  readonly #network: string
  readonly #random: Random
  #bodies: CertificateBody[]

  constructor(network: string, count: number, seed = 1) {
    this.#network = network
    this.#random = seededRandom(seed)
    this.#bodies = Array.from({ length: count }, () => this.#body(0))
  }

  /** Gives so many of them a position. */
  place(count: number): void {
    const placed = this.#bodies
      .slice(0, count)
      .map((body) => ({ ...body, position: { epoch: 1, value: this.#random.bytes(32) } }))
    this.#bodies = [...placed, ...this.#bodies.slice(count)]
  }

  /** The entries of a map, in order. */
  entries(): Uint8Array[] {
    return this.#bodies.toSorted((a, b) => compareBytes(a.key, b.key)).map(encodeCertificateBody)
  }

  /** Certificates that nodes renew, nodes that leave and nodes that come, in one epoch. */
  change({ renewed = 0, left = 0, come = 0 }: { renewed?: number; left?: number; come?: number }, epoch: number): void {
    for (let at = 0; at < left; at++) this.#bodies.splice(this.#below(this.#bodies.length), 1)
    for (let at = 0; at < renewed; at++) {
      const which = this.#below(this.#bodies.length)
      const expiresAt = EXPIRES + epoch
      this.#bodies[which] = { ...(this.#bodies[which] as CertificateBody), issuedEpoch: epoch, expiresAt }
    }
    for (let at = 0; at < come; at++) this.#bodies.push(this.#body(epoch))
  }

  #body(issuedEpoch: number): CertificateBody {
    const key = this.#random.bytes(32)
    const host = `${[...this.#random.bytes(4)].map((byte) => (byte % 200) + 1).join('.')}`
    const port = 4_780 + this.#below(20)
    const carries = this.#below(2) === 0
    return {
      network: this.#network,
      key,
      id: toDidKey(key),
      roles: carries ? ['storage', 'relay'] : ['storage'],
      addresses: [`/ip4/${host}/tcp/${port}`],
      family: `operator-${this.#below(3_000)}`,
      region: ['eu-central', 'us-east', 'ap-south'][this.#below(3)] as string,
      country: ['CH', 'DE', 'US', 'IN'][this.#below(4)] as string,
      asn: this.#below(60_000),
      diversityAddress: host,
      simulated: false,
      issuedEpoch,
      expiresAt: EXPIRES,
      packets: carries
        ? { addresses: [`/ip4/${host}/udp/${port}`], linkKey: this.#random.bytes(32), onionKey: this.#random.bytes(32) }
        : undefined,
      position: undefined,
      beaconKey: undefined,
      measured: undefined,
      resources: undefined,
    }
  }

  #below(limit: number): number {
    return randomInt(this.#random, limit)
  }
}

const EXPIRES = 1_900_000_000_000

/** A map body over entries. */
export function mapBodyOf(network: Network, entries: readonly Uint8Array[], epoch: number, placed = 0): MapBody {
  const signedAt = network.file.createdAt + epoch * network.file.mapEpochMs
  return { network: network.id, epoch, root: mapRoot(entries), count: entries.length, signedAt, ...NO_BEACON, placed }
}

/** A map over entries that these validators signed. */
export function signedMapOf(
  network: Network,
  signers: readonly SigningKey[],
  entries: readonly Uint8Array[],
  epoch: number,
): SignedMap {
  const body = encodeMapBody(mapBodyOf(network, entries, epoch))
  const signatures = signers.map((key) => ({ signer: key.publicKey, signature: key.sign('map', body) }))
  return create(SignedMapSchema, { body, signatures })
}
