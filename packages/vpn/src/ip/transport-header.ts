import { IpHeader, PROTOCOL, u16 } from './ip-header.ts'

/** What the flags of TCP mean (RFC 9293, section 3.1; CWR: RFC 3168). */
export const TCP_FLAG = { fin: 0x01, psh: 0x08, ack: 0x10, cwr: 0x80 } as const

const TCP_BYTES = 20
const UDP_BYTES = 8

/** Where a TCP segment (RFC 9293) or a datagram of UDP (RFC 768) stands in an IP packet that is no fragment, read into one object that is used for all. */
export class TransportHeader {
  readonly ip = new IpHeader()
  isTcp = false
  /** Of all headers together: where what is carried begins. A multiple of four. */
  headerBytes = 0
  /** Where the checksum stands, from the packet's begin on. */
  checksumAt = 0
  /** Of what was not read: its own lengths contradict each other, so that nobody could read it. */
  isBroken = false

  /** False for what is neither, or a fragment, or not a whole one. */
  read(bytes: Uint8Array, length: number): boolean {
    const { ip } = this
    this.isBroken = false
    if (!ip.read(bytes, length)) {
      this.isBroken = true
      return false
    }
    if (ip.isFragment) return false
    if (ip.protocol === PROTOCOL.tcp) return this.#readTcp(bytes, length)
    return ip.protocol === PROTOCOL.udp && this.#readUdp(bytes, length)
  }

  #readTcp(bytes: Uint8Array, length: number): boolean {
    const at = this.ip.contentAt
    const own = ((bytes[at + 12] as number) >> 4) * 4
    this.isTcp = true
    this.headerBytes = at + own
    this.checksumAt = at + 16
    this.isBroken = own < TCP_BYTES || this.headerBytes > length
    return !this.isBroken
  }

  #readUdp(bytes: Uint8Array, length: number): boolean {
    const at = this.ip.contentAt
    const own = u16(bytes, at + 4)
    this.isTcp = false
    this.headerBytes = at + UDP_BYTES
    this.checksumAt = at + 6
    this.isBroken = own < UDP_BYTES || own > length - at
    // What stands behind it (RFC 9868) belongs to this one datagram.
    return own === length - at
  }
}
