import { createHash } from 'node:crypto'
import { ipFromBytes, ipToBytes } from '@weft/onion'

/** Bits of a network: 1,024 addresses of 100.64.0.0/10 (RFC 6598), of which the first is the exit's own. */
const HOST_BITS = 10
const NETWORKS = 2 ** (22 - HOST_BITS)

/**
 * The private addresses that an exit gives its clients: a /22 of the shared space, and of IPv6 a /96 of its own (a ULA, RFC 4193), whose
 * last four bytes are the address of IPv4.
 */
export class IpNetwork {
  readonly hasIPv6: boolean
  /** Numbers for clients. */
  readonly first = 2
  readonly end = 2 ** HOST_BITS - 1
  /** Of the last two bytes of an address those that are the number. */
  readonly mask = 2 ** HOST_BITS - 1
  readonly own4: Uint8Array
  readonly own6: Uint8Array
  readonly #base4: Uint8Array
  readonly #prefix6: Uint8Array

  /** @param which of the 4,096 networks, @param prefix6 12 bytes */
  private constructor(which: number, prefix6: Uint8Array, hasIPv6: boolean) {
    this.hasIPv6 = hasIPv6
    const bits = which << HOST_BITS
    this.#base4 = Uint8Array.of(100, 64 | (bits >>> 16), (bits >>> 8) & 0xff, bits & 0xff)
    this.#prefix6 = prefix6
    this.own4 = this.address4(1)
    this.own6 = this.address6(1)
  }

  /** Of a node: always the same, but where it would hold an address of this machine. @param taken IPv4 literals */
  static of(nodeKey: Uint8Array, taken: readonly string[], hasIPv6: boolean): IpNetwork {
    const digest = createHash('sha256').update('weft:exit:ip\0').update(nodeKey).digest()
    const prefix6 = new Uint8Array(12)
    prefix6[0] = 0xfd
    prefix6.set(digest.subarray(0, 7), 1)
    const from = digest.readUInt16BE(8) % NETWORKS
    const used = taken.flatMap((text) => {
      const bytes = ipToBytes(text)
      return bytes?.length === 4 ? [bytes] : []
    })
    for (let i = 0; i < NETWORKS; i++) {
      const network = new IpNetwork((from + i) % NETWORKS, prefix6, hasIPv6)
      if (!used.some((address) => network.#holds(address))) return network
    }
    return new IpNetwork(from, prefix6, hasIPv6)
  }

  /** In CIDR form. */
  get cidr4(): string {
    return `${ipFromBytes(this.#base4)}/${32 - HOST_BITS}`
  }

  get cidr6(): string {
    return `${ipFromBytes(this.address6(0))}/${128 - HOST_BITS}`
  }

  address4(number: number): Uint8Array {
    const [a = 0, b = 0, c = 0] = this.#base4
    return Uint8Array.of(a, b, c | (number >>> 8), number & 0xff)
  }

  address6(number: number): Uint8Array {
    const address = new Uint8Array(16)
    address.set(this.#prefix6)
    address.set(this.address4(number), 12)
    return address
  }

  /** The number in an address of this network, of 4 or 16 bytes at `at`; -1 for all others. */
  numberAt(bytes: Uint8Array, at: number, length: number): number {
    if (length === 16) for (let i = 0; i < 12; i++) if (bytes[at + i] !== this.#prefix6[i]) return -1
    const end = at + length
    if (!this.#holds(bytes.subarray(end - 4, end))) return -1
    return (((bytes[end - 2] as number) << 8) | (bytes[end - 1] as number)) & this.mask
  }

  #holds([a, b, c = 0]: Uint8Array): boolean {
    const [ownA, ownB, ownC = 0] = this.#base4
    return a === ownA && b === ownB && c >>> 2 === ownC >>> 2
  }
}
