import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FrameReader } from '../../src/session/frame-reader.ts'
import { FrameWriter } from '../../src/session/frame-writer.ts'
import { type IpChannel } from '../../src/session/ip-channel.ts'
import { IpPacketPool } from '../../src/session/ip-packet-pool.ts'
import { PacketQueue } from '../../src/session/packet-queue.ts'
import { MAX_IP_PACKET_BYTES, SessionCode } from '../../src/session/protocol.ts'
import { IP_CHANNEL } from '../../src/session/stream-target.ts'
import { MAX_DATAGRAM_AGE_MS, MAX_QUEUED_IP_PACKETS } from '../../src/session/tuning.ts'
import { aloneWithIp } from './lone-channel.ts'
import { PAYLOAD, simulatedPath } from './simulated-path.ts'

const GOOD = { delay: 5, rate: 20_000, queue: 1e6 }

/** A packet that tells which it is and whether it is whole. */
function content(index: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (index * 31 + at * 7) & 0xff)
}

/** A path with an open channel of IP packets; the exit sends every packet back. */
function opened(seed = 7, shape: Parameters<typeof simulatedPath>[1] = GOOD) {
  let exit: IpChannel | undefined
  const atExit: Uint8Array[] = []
  const atClient: Uint8Array[] = []
  const addresses: string[] = []
  const path = simulatedPath(seed, shape, (stream) => {
    const { ip } = stream
    if (ip === undefined) return stream.refuse(SessionCode.policy)
    exit = ip
    ip.handler = {
      onPacket: (bytes) => {
        atExit.push(bytes.slice())
        ip.send(bytes, bytes.length)
      },
    }
    stream.accept('100.64.0.7')
  })
  const stream = path.client.session.openStream(IP_CHANNEL)
  stream.handler = { onOpened: (address) => void addresses.push(address) }
  const client = stream.ip ?? assert.fail()
  client.handler = { onPacket: (bytes) => void atClient.push(bytes.slice()) }
  const settle = (ms = 200): void => void path.world.run(() => false, path.world.now + ms)
  settle()
  return { path, stream, client, exit: () => exit ?? assert.fail(), atExit, atClient, addresses, settle }
}

test('IP packets go to the exit and back, whole and in order; OPENED tells the address', () => {
  const { client, atExit, atClient, addresses, settle } = opened()
  assert.deepEqual(addresses, ['100.64.0.7'])
  const packets = [20, 40, 576, 1000, 1279, MAX_IP_PACKET_BYTES].map((length, i) => content(i, length))
  for (const packet of packets) assert.ok(client.send(packet, packet.length))
  settle()
  assert.deepEqual(atExit, packets)
  assert.deepEqual(atClient, packets)
})

test('of a larger buffer only the first bytes are sent, and a copy of them', () => {
  const { client, atExit, settle } = opened()
  const buffer = content(1, 2_000)
  const expected = [10, 64, 65, 700].map((length) => buffer.slice(0, length))
  for (const { length } of expected) assert.ok(client.send(buffer, length))
  buffer.fill(0)
  settle()
  assert.deepEqual(atExit, expected)
})

test('several small packets share a cell; one of 1,280 bytes always has one to itself', () => {
  const { path, client, atExit, settle } = opened()
  const before = path.client.session.stats.packetsSent
  for (let i = 0; i < 90; i++) client.send(content(i, 40), 40)
  settle(40)
  assert.equal(atExit.length, 90)
  assert.ok(path.client.session.stats.packetsSent - before < 12, `${path.client.session.stats.packetsSent - before}`)
})

test('a packet of 1,280 bytes fits a cell of up to four hops by the table of docs/specs/packets.md, its frame included', () => {
  for (const depth of [0, 1, 2, 3]) {
    const writer = new FrameWriter()
    writer.reset(new Uint8Array(1379 - 25 * depth))
    // The longest id of a stream that a session could come to use.
    assert.ok(writer.packet(4 * 2 ** 28, new Uint8Array(MAX_IP_PACKET_BYTES), MAX_IP_PACKET_BYTES), String(depth))
  }
})

test('whatever the ACKs take, no packet is cut, and all arrive over a path that reorders', () => {
  const { path, client, atExit, atClient, settle } = opened(3, { ...GOOD, reorder: 0.2, reorderBy: 3 })
  const total = 600
  for (let i = 0; i < total; i++) {
    client.send(content(i, MAX_IP_PACKET_BYTES), MAX_IP_PACKET_BYTES)
    settle(2)
  }
  settle()
  assert.deepEqual(path.ends, [])
  assert.equal(atExit.length, total)
  assert.equal(atClient.length, total)
})

test('a longer packet, one before the channel is open and one after its end are not taken', () => {
  const { client, stream, path } = opened()
  assert.ok(!client.send(new Uint8Array(MAX_IP_PACKET_BYTES + 1), MAX_IP_PACKET_BYTES + 1))
  const other = path.client.session.openStream(IP_CHANNEL).ip
  assert.ok(other !== undefined && !other.send(content(0, 40), 40))
  stream.reset(SessionCode.none)
  assert.ok(!client.send(content(0, 40), 40))
})

test('a lost packet is not sent again', () => {
  const { path, client, atExit, settle } = opened()
  path.up.shape = { ...GOOD, drop: 1 }
  client.send(content(0, 100), 100)
  settle(20)
  path.up.shape = GOOD
  settle(3_000)
  assert.deepEqual(atExit, [])
})

test('the queue drops the oldest for a new one, and what is too old', () => {
  const queue = new PacketQueue(new IpPacketPool(10_000))
  for (let i = 0; i < MAX_QUEUED_IP_PACKETS + 5; i++) assert.ok(queue.push(content(i, 20), 20, 0))
  assert.equal(queue.size, MAX_QUEUED_IP_PACKETS)
  assert.equal(queue.dropped, 5)
  assert.equal(queue.firstLength(0), 20)
  assert.deepEqual(queue.first.slice(0, 20), content(5, 20))
  assert.equal(queue.firstLength(MAX_DATAGRAM_AGE_MS + 1), -1)
  assert.equal(queue.size, 0)
})

test('one channel never takes all of the room, and all of it comes back', () => {
  const pool = new IpPacketPool(100)
  const queues = Array.from({ length: 5 }, () => new PacketQueue(pool))
  for (const queue of queues) for (let i = 0; i < 200; i++) queue.push(content(i, 50), 50, 0)
  for (const queue of queues) assert.ok(queue.size > 0, 'each has something')
  assert.ok(pool.used <= pool.limit)
  for (const queue of queues) queue.clear()
  assert.equal(pool.used, 0)
})

test('property: a queue gives back what a list would', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.nat(MAX_IP_PACKET_BYTES), fc.constant(-1)), { maxLength: 700 }), (steps) => {
      const pool = new IpPacketPool(1_000)
      const queue = new PacketQueue(pool)
      const model: Uint8Array[] = []
      for (const [index, length] of steps.entries()) {
        if (length < 0) {
          assert.equal(queue.firstLength(0), model[0]?.length ?? -1)
          if (model[0] !== undefined) assert.deepEqual(queue.first.slice(0, model[0].length), model[0])
          model.shift()
          queue.shift()
        } else {
          queue.push(content(index, length), length, 0)
          model.push(content(index, length))
          if (model.length > MAX_QUEUED_IP_PACKETS) model.shift()
        }
        assert.equal(queue.size, model.length)
        assert.equal(pool.used, model.length)
      }
    }),
    { numRuns: 50 },
  )
})

for (const [name, bytes] of [
  ['a target', '39 00 01 01 45'],
  ['a name', '3b 00 00 0035 01 61 01 45'],
  ['a part', '3d 00 00 00 02 00 01 45'],
] as const)
  test(`an IP packet with ${name} ends the session`, () => {
    const { ends, giveBytes } = aloneWithIp()
    giveBytes(padded(bytes))
    assert.deepEqual(ends, ['2 an IP packet has a target or parts'])
  })

test('a packet of 1,281 bytes, UNREACHED and bytes of a stream end the session, too', () => {
  const long = aloneWithIp()
  long.give((writer) => writer.datagram(0, 0, 0, '', new Uint8Array(MAX_IP_PACKET_BYTES + 1)))
  assert.deepEqual(long.ends, ['2 an IP packet has 1281 bytes'])
  const bytes = aloneWithIp()
  bytes.giveBytes(padded('0a 00 01 45'))
  assert.deepEqual(bytes.ends, ['2 a channel has bytes'])
})

test('the examples of the spec', () => {
  const packet = Uint8Array.of(0x45, 0)
  const payload = new Uint8Array(12)
  const writer = new FrameWriter()
  writer.reset(payload)
  assert.ok(writer.openBare(4, 4) && writer.packet(4, packet, 2))
  writer.finish()
  assert.equal(Buffer.from(payload).toString('hex'), '30040439040002450000'.padEnd(24, '0'))
  const opens: number[][] = []
  const sink = { onOpen: (id: number, protocol: number) => void opens.push([id, protocol]), onDatagram: () => {} }
  new FrameReader().read(payload, sink as never)
  assert.deepEqual(opens, [[4, 4]])
})

function padded(hex: string): Uint8Array {
  const payload = new Uint8Array(PAYLOAD)
  payload.set(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
  return payload
}
