/**
 * struct virtio_net_hdr (linux/virtio_net.h; Virtual I/O Device 1.2, section 5.1.6), in the processor's order, which is little-endian here:
 * flags 1, what kind of super-packet 1, bytes of headers 2, bytes that each segment carries 2, where the checksum's bytes begin 2, and where
 * from there on it goes 2.
 */
export const VIRTIO_BYTES = 10

/** The checksum's place holds the sum of the pseudo-header; what is to be summed to it begins at `checksumStart`. */
const NEEDS_CHECKSUM = 1
/** Kinds of super-packets; ECN is a bit beside them that says that the first segment has CWR. */
export const SUPER = { none: 0, tcp4: 1, tcp6: 4, udp: 5 } as const
const ECN = 0x80

/** What the system says of a packet that it gives, read into one object that is used for all. */
export class VirtioHeader {
  needsChecksum = false
  kind = 0
  segmentBytes = 0
  checksumStart = 0
  checksumOffset = 0

  read(view: DataView): void {
    this.needsChecksum = (view.getUint8(0) & NEEDS_CHECKSUM) !== 0
    this.kind = view.getUint8(1) & ~ECN
    // Bytes of headers are a hint only: they are counted anew.
    this.segmentBytes = view.getUint16(4, true)
    this.checksumStart = view.getUint16(6, true)
    this.checksumOffset = view.getUint16(8, true)
  }
}

/** A packet that the system takes as it is. */
export function clearVirtioHeader(view: DataView): void {
  for (let at = 0; at < VIRTIO_BYTES; at++) view.setUint8(at, 0)
}

/** A super-packet, whose checksum the system completes in each segment. */
export function writeVirtioHeader(
  view: DataView,
  kind: number,
  headerBytes: number,
  segmentBytes: number,
  checksumStart: number,
  checksumOffset: number,
): void {
  view.setUint8(0, NEEDS_CHECKSUM)
  view.setUint8(1, kind)
  view.setUint16(2, headerBytes, true)
  view.setUint16(4, segmentBytes, true)
  view.setUint16(6, checksumStart, true)
  view.setUint16(8, checksumOffset, true)
}
