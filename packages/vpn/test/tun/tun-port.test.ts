import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FlushQueue } from '../../src/engine/flush-queue.ts'
import type { LinuxTunCalls } from '../../src/tun/linux-tun.ts'
import { TunPort } from '../../src/tun/tun-port.ts'
import { MOST_BYTES, merge } from './merge-and-split.ts'
import { type Flow, packetsOf } from './traffic.ts'

const TUN = 5
const WAKE = 6
const EIO = 5
const EAGAIN = 11
const EINVAL = 22
const TUNGETFEATURES = 0x800454cf
const VIRTIO = 0x4000

const FLOW: Flow = {
  isIPv6: false,
  isTcp: true,
  sourcePort: 443,
  destinationPort: 40_000,
  sequence: 1,
  id: 2,
  dontFragment: true,
  options: new Uint8Array(0),
  payloads: Array.from({ length: 40 }, (_, at) => new Uint8Array(1_200).fill(at)),
  isPushed: false,
}

/** A port above a kernel that gives `reads` and takes, or refuses, what is written. */
function rig(reads: readonly Uint8Array[], refusal: (isSuper: boolean) => number = () => 0, features = VIRTIO) {
  const left = [...reads]
  const written: Buffer[] = []
  const got: Buffer[] = []
  let errno = 0
  let wake = (): void => {}
  const fail = (why: number): number => {
    errno = why
    return -1
  }
  const calls = {
    open: () => TUN,
    close: () => 0,
    eventfd: () => WAKE,
    ioctl: (_: number, request: number, bytes: Uint8Array) => {
      if (request === TUNGETFEATURES) new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, features, true)
      return 0
    },
    ioctlNumber: () => 0,
    read: (_: number, into: Uint8Array) => {
      const next = left.shift()
      if (next === undefined) return fail(EAGAIN)
      into.set(next)
      return next.length
    },
    write: (fd: number, bytes: Uint8Array, length: number) => {
      const why = fd === WAKE ? 0 : refusal(features === VIRTIO && bytes[1] !== 0)
      if (why !== 0) return fail(why)
      if (fd === TUN) written.push(Buffer.from(bytes.subarray(0, length)))
      return length
    },
    waitForReadable: (_: Uint8Array, __: number, ___: Uint8Array, done: () => void) => {
      wake = done
    },
    errno: () => errno,
    errorName: String,
  } as unknown as LinuxTunCalls
  const port = new TunPort(calls, {
    name: 'weft0',
    mostBytes: MOST_BYTES,
    queue: new FlushQueue(() => {}),
    onPacket: (bytes, length) => void got.push(Buffer.from(bytes.subarray(0, length))),
    onGone: (error) => assert.fail(String(error)),
  })
  port.start()
  const write = (packets: readonly Uint8Array[]): void => {
    for (const packet of packets) {
      port.room.set(packet)
      port.write(packet.length)
    }
  }
  return { port, written, got, left, write, wake: () => wake() }
}

const superPacket = (): Buffer => merge(packetsOf(FLOW)).written[0]?.whole ?? assert.fail()

test('a super-packet that was read is told of as its packets', () => {
  const { port, got, wake } = rig([superPacket(), Buffer.concat([Buffer.alloc(10), packetsOf(FLOW)[0] as Buffer])])
  wake()
  assert.deepEqual(got, [...packetsOf(FLOW), packetsOf(FLOW)[0]])
  const { readPackets, readBytes, readSuper, split, unreadable } = port.counters
  assert.deepEqual([readPackets, readBytes, readSuper, split, unreadable], [41, 41 * 1_240, 1, 40, 0])
  port.close()
})

test('what is read and shorter than its header, or no super-packet, is counted as unreadable', () => {
  const bad = superPacket()
  bad.writeUInt16LE(0, 4)
  const { port, got, wake } = rig([Buffer.alloc(9), Buffer.alloc(10), bad])
  wake()
  assert.deepEqual(got, [])
  assert.equal(port.counters.unreadable, 3)
  port.close()
})

test('a turn ends behind 128 packets, super-packets counting for what is in them', async () => {
  const { port, got, left, wake } = rig(Array.from({ length: 10 }, superPacket))
  wake()
  assert.equal(got.length, 160)
  assert.equal(left.length, 6)
  await new Promise(setImmediate)
  assert.equal(got.length, 320)
  port.close()
})

test('what follows each other is written at once, at the end of the turn', async () => {
  const { port, written, write } = rig([])
  write(packetsOf(FLOW))
  assert.equal(written.length, 0)
  await Promise.resolve()
  assert.deepEqual(written, [superPacket()])
  const { writtenPackets, writtenBytes, writtenSuper, merged } = port.counters
  assert.deepEqual([writtenPackets, writtenBytes, writtenSuper, merged], [40, 40 * 1_240, 1, 40])
  port.close()
})

test('a super-packet that the kernel finds invalid is written packet by packet', async () => {
  const { port, written, write } = rig([], (isSuper) => (isSuper ? EINVAL : 0))
  write(packetsOf(FLOW))
  await Promise.resolve()
  assert.deepEqual(
    written,
    packetsOf(FLOW).map((packet) => Buffer.concat([Buffer.alloc(10), packet])),
  )
  const { writtenPackets, writtenSuper, refused } = port.counters
  assert.deepEqual([writtenPackets, writtenSuper, refused], [40, 0, 0])
  port.close()
})

test('while the interface is down every packet of a super-packet counts as refused', async () => {
  const { port, written, write } = rig([], () => EIO)
  write(packetsOf(FLOW))
  await Promise.resolve()
  assert.equal(written.length, 0)
  assert.deepEqual([port.counters.refused, port.counters.writtenPackets], [40, 0])
  port.close()
})

test('without the header packets come and go as they are', async () => {
  const packets = packetsOf(FLOW)
  const { port, got, written, write, wake } = rig(packets, () => 0, 0)
  wake()
  assert.deepEqual(got, packets)
  write(packets)
  await Promise.resolve()
  assert.deepEqual(written, packets)
  assert.equal(port.counters.writtenSuper, 0)
  port.close()
})

test('a port that was closed writes nothing, of what it held neither', async () => {
  const { port, written, write } = rig([])
  write(packetsOf(FLOW))
  port.close()
  write(packetsOf(FLOW))
  await Promise.resolve()
  assert.deepEqual(written, [])
})
