/** Protocol numbers (IANA). */
export const PROTOCOL = { icmp: 1, tcp: 6, udp: 17, fragment: 44, icmpv6: 58 } as const

const IPV4_BYTES = 20
const IPV6_BYTES = 40
const FRAGMENT_BYTES = 8

/**
 * What an IP packet says of itself (RFC 791, RFC 8200), read into one object that is used for all. Only plain packets are read: with
 * options or other extension headers than a fragment's they could name further addresses on the way (source routes, RFC 7126, RFC 5095)
 * or hide their ports, and hardly anybody sends them.
 */
export class IpHeader {
  version: 4 | 6 = 4
  /** TCP, UDP, ICMP or another; behind a fragment header what that says. */
  protocol = 0
  sourceAt = 0
  destinationAt = 0
  /** 4 or 16. */
  addressBytes = 4
  /** Where the header of the protocol begins. */
  contentAt = 0
  /** It begins with that header: it is no fragment, or the first. */
  isFirst = true
  isFragment = false
  /** Of TCP and UDP, 0 where it is not known: of later fragments, and of other protocols. */
  sourcePort = 0
  destinationPort = 0
  /** Of ICMP in the first fragment; -1 otherwise. */
  icmpType = -1

  /** False for what is no packet of exactly `length` bytes, or not a plain one. */
  read(bytes: Uint8Array, length: number): boolean {
    const version = length === 0 ? 0 : (bytes[0] as number) >> 4
    if (version === 4) return this.#read4(bytes, length) && this.#readContent(bytes, length)
    return version === 6 && this.#read6(bytes, length) && this.#readContent(bytes, length)
  }

  #read4(bytes: Uint8Array, length: number): boolean {
    if (length < IPV4_BYTES || bytes[0] !== 0x45 || u16(bytes, 2) !== length) return false
    const fragment = u16(bytes, 6)
    this.version = 4
    this.protocol = bytes[9] as number
    this.sourceAt = 12
    this.destinationAt = 16
    this.addressBytes = 4
    this.contentAt = IPV4_BYTES
    this.isFirst = (fragment & 0x1fff) === 0
    this.isFragment = (fragment & 0x3fff) !== 0
    return true
  }

  #read6(bytes: Uint8Array, length: number): boolean {
    if (length < IPV6_BYTES || u16(bytes, 4) + IPV6_BYTES !== length) return false
    this.version = 6
    this.protocol = bytes[6] as number
    this.sourceAt = 8
    this.destinationAt = 24
    this.addressBytes = 16
    this.contentAt = IPV6_BYTES
    this.isFirst = true
    this.isFragment = false
    if (this.protocol !== PROTOCOL.fragment) return true
    if (length < IPV6_BYTES + FRAGMENT_BYTES) return false
    this.protocol = bytes[IPV6_BYTES] as number
    this.contentAt = IPV6_BYTES + FRAGMENT_BYTES
    this.isFirst = (u16(bytes, IPV6_BYTES + 2) & 0xfff8) === 0
    this.isFragment = true
    return true
  }

  /** The first fragment has at least what is read here: one whose ports are cut off (RFC 1858) is none. */
  #readContent(bytes: Uint8Array, length: number): boolean {
    this.sourcePort = 0
    this.destinationPort = 0
    this.icmpType = -1
    if (!this.isFirst) return true
    const at = this.contentAt
    switch (this.protocol) {
      case PROTOCOL.tcp:
      case PROTOCOL.udp:
        if (length < at + (this.protocol === PROTOCOL.tcp ? 20 : 8)) return false
        this.sourcePort = u16(bytes, at)
        this.destinationPort = u16(bytes, at + 2)
        return true
      case PROTOCOL.icmp:
      case PROTOCOL.icmpv6:
        // Each belongs to one version (RFC 792, RFC 4443).
        if (length < at + 8 || (this.protocol === PROTOCOL.icmp) !== (this.version === 4)) return false
        this.icmpType = bytes[at] as number
        return true
      default:
        return true
    }
  }

  /** Asks for an echo (RFC 792; RFC 4443, section 4.1). */
  get isEchoRequest(): boolean {
    return this.icmpType === (this.version === 4 ? 8 : 128)
  }

  /** An ICMP message about another packet, which it holds behind its first 8 bytes. */
  get isIcmpError(): boolean {
    const type = this.icmpType
    return this.version === 4 ? type === 3 || type === 4 || type === 11 || type === 12 : type >= 1 && type <= 4
  }
}

export function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
}

export function setU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8
  bytes[at + 1] = value
}

/** Whether the `address` stands at `at`. */
export function isAddressAt(bytes: Uint8Array, at: number, address: Uint8Array): boolean {
  for (let i = 0; i < address.length; i++) if (bytes[at + i] !== address[i]) return false
  return true
}
