import { systemRandom } from '@weft/core'
import { HalfWriter, Packet } from '@weft/onion'
import { EndpointTable } from './endpoint-table.ts'
import { type LinuxSocketCalls, POLLIN, nativeBytes } from './linux-socket-calls.ts'
import { localPort, openLinuxUdpSocket } from './linux-udp-socket.ts'
import { HalvedPackets } from './halved-packets.ts'
import { PacketBatch } from './packet-batch.ts'
import { ReceiveRing } from './receive-ring.ts'
import type { Destination } from './destination-table.ts'
import { SegmentBatch } from './segment-batch.ts'
import { AF_INET, AF_INET6, encodeSocketAddress } from './socket-address.ts'
import { UdpCounters } from './udp-counters.ts'

/** Packets that go round; and how long they may take, ms, which blocks the thread: on the loopback they are there at once. */
const PACKETS = 3
const PATIENCE_MS = 200

/**
 * Sends three packets as one over the loopback and reads them back: kernels and sandboxes take options that they do not
 * honour. @throws Error saying what did not work
 */
export function testSegmentation(calls: LinuxSocketCalls, isIPv6: boolean): void {
  const host = isIPv6 ? '::1' : '127.0.0.1'
  const fd = openLinuxUdpSocket(calls, host, 0)
  try {
    const endpoint = { address: host, port: localPort(calls, fd) }
    const socketAddress = encodeSocketAddress(endpoint, isIPv6 ? AF_INET6 : AF_INET)
    if (socketAddress === undefined) throw new Error(`the loopback gave no port (${endpoint.port})`)
    const sending = new SegmentBatch<Destination>(calls, fd, new HalfWriter(systemRandom))
    sending.assign({ host, port: endpoint.port, socketAddress, halved: false, segmented: true, batch: sending })
    const packet = new Packet()
    for (let i = 1; i <= PACKETS; i++) sending.append(packet.bytes.fill(i))
    const errno = sending.send(PACKETS)
    if (errno !== 0) throw new Error(`the kernel refuses UDP_SEGMENT (${calls.errorName(errno)})`)
    const got = receive(calls, fd, packet)
    const isWhole = (i: number): boolean => got.packets[i]?.bytes.every((byte) => byte === i + 1) === true
    if (got.count !== PACKETS || !Array.from({ length: PACKETS }, (_, i) => isWhole(i)).every(Boolean))
      throw new Error(`of ${PACKETS} packets sent as one over the loopback ${got.count} came back`)
  } finally {
    calls.close(fd)
  }
}

/** What is there once something is; what the loopback hands over in pieces over time is no gain. */
function receive(calls: LinuxSocketCalls, fd: number, placeholder: Packet): PacketBatch {
  const ring = new ReceiveRing(calls, fd, new EndpointTable(), new HalvedPackets(), new UdpCounters())
  const descriptor = nativeBytes(8)
  const view = new DataView(descriptor.buffer)
  view.setInt32(0, fd, true)
  view.setInt16(4, POLLIN, true)
  const batch = new PacketBatch(PACKETS, placeholder)
  if (calls.poll(descriptor, 1, PATIENCE_MS) > 0) ring.receive(batch)
  return batch
}
