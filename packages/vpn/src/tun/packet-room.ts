import { nativeBytes } from '../udp/linux-socket-calls.ts'
import { VIRTIO_BYTES } from './virtio-header.ts'

/** Where a packet begins, so that its words stand where a processor likes them; what the system says of it stands right before it. */
const PACKET_AT = 12
/** The largest packet that there is: of IPv6, with its header (RFC 8200, section 3). */
const MOST_BYTES = 65_535 + 40

/** Memory for one packet and the header by which the system and this process speak of it. */
export class PacketRoom {
  /** The packet. */
  readonly bytes: Uint8Array
  readonly view: DataView
  /** The header. */
  readonly header: DataView
  /** Both: what is read and written with it. */
  readonly whole: Uint8Array

  constructor() {
    const { buffer } = nativeBytes(PACKET_AT + MOST_BYTES)
    this.bytes = new Uint8Array(buffer, PACKET_AT)
    this.view = new DataView(buffer, PACKET_AT)
    this.header = new DataView(buffer, PACKET_AT - VIRTIO_BYTES, VIRTIO_BYTES)
    this.whole = new Uint8Array(buffer, PACKET_AT - VIRTIO_BYTES)
  }
}
