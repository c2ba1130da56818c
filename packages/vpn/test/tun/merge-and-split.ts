import { PacketMerger } from '../../src/tun/packet-merger.ts'
import { PacketRoom } from '../../src/tun/packet-room.ts'
import { PacketSplitter } from '../../src/tun/packet-splitter.ts'
import { VirtioHeader } from '../../src/tun/virtio-header.ts'

export const MOST_BYTES = 1_280

/** What was written: with what the system is told of it. */
interface Written {
  readonly bytes: Buffer
  readonly count: number
  readonly kind: number
  /** Both, as the system gets it. */
  readonly whole: Buffer
}

/** What a merger writes of packets, the system having both kinds of super-packets. */
export function merge(packets: readonly Uint8Array[], has = { tcp: true, udp: true }) {
  const written: Written[] = []
  const header = new VirtioHeader()
  const merger = new PacketMerger({
    ...has,
    write: ({ room, length, count }) => {
      header.read(room.header)
      const whole = Buffer.from(room.whole.subarray(0, length + 10))
      written.push({ bytes: whole.subarray(10), count, kind: header.kind, whole })
    },
  })
  for (const packet of packets) {
    merger.room.set(packet)
    merger.add(packet.length)
  }
  merger.flush()
  return { written, broken: merger.broken }
}

/** What a splitter makes of what the system gave: a header, and a packet behind it. */
export function split(whole: Uint8Array): Buffer[] {
  const packets: Buffer[] = []
  const splitter = new PacketSplitter(MOST_BYTES, (bytes, length) => {
    packets.push(Buffer.from(bytes.subarray(0, length)))
    // Whoever takes it may write its own addresses into it.
    bytes.fill(0xee, 0, length)
  })
  const room = new PacketRoom()
  room.whole.set(whole)
  const count = splitter.split(room, whole.length - 10)
  if (count !== packets.length) throw new Error(`${count} packets were told of, ${packets.length} came`)
  return packets
}
