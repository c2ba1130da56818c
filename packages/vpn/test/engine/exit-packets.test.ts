import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { VirtualClock } from '@weft/core'
import { IpChannel, IpPacketPool, SessionCode, type SessionStream, ipFromBytes } from '@weft/onion'
import { ExitPackets } from '../../src/engine/exit-packets.ts'
import { ExitPolicy } from '../../src/exit/exit-policy.ts'
import { IpNetwork } from '../../src/exit/ip-network.ts'
import { IpHeader, PROTOCOL } from '../../src/ip/ip-header.ts'
import { type PacketShape, makePacket } from '../ip/make-packet.ts'

const SERVER = '203.0.113.9'
const SERVER6 = '2001:db8::9'

function rig({ hasIPv6 = true, allow = [], deny = [] }: { hasIPv6?: boolean; allow?: string[]; deny?: string[] } = {}) {
  const clock = new VirtualClock()
  const written: Uint8Array[] = []
  const released: { readonly number: number; readonly done: () => void }[] = []
  const network = IpNetwork.of(new Uint8Array(32).fill(5), [], hasIPv6)
  const exit = new ExitPackets({
    policy: new ExitPolicy({ clock, allow, deny, own: ['198.51.100.1'], interfaces: () => ['192.0.2.1'] }),
    clock,
    network,
    write: (packet) => written.push(packet.slice()) > 0,
    release: (number) => {
      const { promise, resolve } = Promise.withResolvers<undefined>()
      released.push({ number, done: () => resolve(undefined) })
      return promise
    },
  })
  const join = (session: object = {}) => {
    const codes: number[] = []
    const told: Uint8Array[] = []
    let address = ''
    const channel = new IpChannel({ clock, packets: new IpPacketPool(10), mostPacketBytes: 1280, schedule: () => {} })
    const stream = {
      ip: channel,
      handler: {} as SessionStream['handler'],
      accept: (given: string) => {
        address = given
        channel.begin(0)
      },
      refuse: (code: number) => void codes.push(code),
      reset: (code: number) => void codes.push(code),
    }
    exit.take(stream as unknown as SessionStream, session, () => {
      for (let length = channel.queue.firstLength(0); length >= 0; length = channel.queue.firstLength(0)) {
        told.push(channel.queue.first.slice(0, length))
        channel.queue.shift()
      }
    })
    const send = (shape: Partial<PacketShape>): void => {
      const source = shape.destination?.includes(':') === true ? address : own()
      channel.handler.onPacket?.(makePacket({ source, destination: SERVER, ...shape }))
    }
    /** Its address of IPv4. */
    const own = (): string => (address.includes(':') ? ipFromBytes(bytesOf(address).subarray(12)) : address)
    return { codes, told, send, own, address: () => address, end: () => stream.handler.onReset?.(SessionCode.none) }
  }
  const reply = (shape: PacketShape): void => {
    const packet = makePacket(shape)
    exit.fromOutside(packet, packet.length)
  }
  return { exit, join, written, released, reply, network, clock }
}

function bytesOf(address: string): Uint8Array {
  const packet = makePacket({ source: address, destination: SERVER6 })
  return packet.subarray(8, 24)
}

test('each session gets an address of its own, in the shared range; one of IPv6 ends in that of IPv4', () => {
  const { join } = rig()
  const [one, two] = [join(), join()]
  assert.notEqual(one.address(), two.address())
  assert.match(one.address(), /^fd/)
  const [first, second] = one.own().split('.').map(Number)
  assert.equal(first, 100)
  assert.ok(second !== undefined && second >= 64 && second < 128)
  assert.match(rig({ hasIPv6: false }).join().address(), /^100\./)
})

test('packets go out and answers come back to who asked', () => {
  const { join, written, reply } = rig()
  const [one, two] = [join(), join()]
  one.send({})
  one.send({ destination: SERVER6, port: 53 })
  one.send({ protocol: PROTOCOL.icmp })
  assert.equal(written.length, 3)
  reply({ source: SERVER, destination: one.own() })
  reply({ source: SERVER6, destination: one.address() })
  assert.equal(one.told.length, 2)
  assert.equal(two.told.length, 0)
})

test('a spoofed source, of another client too, is dropped and counted', () => {
  const { exit, join, written } = rig()
  const [one, two] = [join(), join()]
  for (const source of ['192.0.2.7', two.own(), '127.0.0.1']) one.send({ source })
  one.send({ source: two.address(), destination: SERVER6 })
  assert.equal(written.length, 0)
  assert.equal(exit.counters.spoofed, 4)
  assert.deepEqual(one.told, [])
})

for (const [name, shape] of [
  ['private', { destination: '10.1.2.3' }],
  ['shared, as other clients', { destination: '100.64.0.1' }],
  ['loopback', { destination: '127.0.0.1' }],
  ['metadata', { destination: '169.254.169.254', port: 80 }],
  ["the exit's own, announced", { destination: '198.51.100.1' }],
  ["the exit's own, of an interface", { destination: '192.0.2.1' }],
  ['multicast', { destination: '239.1.2.3' }],
  ['broadcast', { destination: '255.255.255.255' }],
  ['mail', { port: 25, protocol: PROTOCOL.tcp }],
  ['denied', { destination: '203.0.113.77' }],
  ['mapped', { destination: '::ffff:10.0.0.1' }],
  ['NAT64', { destination: '64:ff9b::a00:1' }],
  ['link-local', { destination: 'fe80::1' }],
  ['unique local', { destination: 'fd00::1' }],
  ['private, echo', { destination: '10.1.2.3', protocol: PROTOCOL.icmp }],
  ['denied, echo', { destination: '203.0.113.77', protocol: PROTOCOL.icmp }],
  ['private, later fragment', { destination: '10.1.2.3', fragment: 'later' }],
  ['a redirect', { protocol: PROTOCOL.icmp, type: 5 }],
  ['another protocol', { protocol: 47 }],
] as const)
  test(`refused: ${name}`, () => {
    const { exit, join, written } = rig({ deny: ['203.0.113.77/32:*'] })
    const client = join()
    client.send(shape)
    assert.equal(written.length, 0)
    assert.equal(exit.counters.refused, 1)
  })

test('who is refused is told so by ICMP: 16 times at once, then once in 50 ms, whatever others are told', async () => {
  const { exit, join, clock } = rig()
  const [client, other] = [join(), join()]
  for (let i = 0; i < 20; i++) client.send({ destination: '10.1.2.3', protocol: PROTOCOL.tcp, port: 80 })
  assert.equal(client.told.length, 16)
  other.send({ destination: '10.1.2.3' })
  assert.equal(other.told.length, 1)
  const [error] = client.told
  const header = new IpHeader()
  assert.ok(error !== undefined && header.read(error, error.length) && header.isIcmpError)
  assert.equal(error[21], 13)
  await clock.advance(60)
  for (let i = 0; i < 2; i++) client.send({ destination: '10.1.2.3' })
  assert.equal(client.told.length, 17)
  await clock.advance(60_000)
  for (let i = 0; i < 20; i++) client.send({ destination: '10.1.2.3' })
  assert.equal(client.told.length, 33)
  assert.equal(exit.counters.refused, 43)
})

test('the policy is asked anew for another port of the same address, and what is allowed there goes', () => {
  const { join, written } = rig({ allow: ['10.1.2.3/32:5001', '10.9.0.0/16:*'], deny: ['203.0.113.9/32:23'] })
  const client = join()
  client.send({ destination: '10.1.2.3', port: 5001 })
  client.send({ destination: '10.1.2.3', port: 5002 })
  client.send({ port: 23 })
  client.send({ port: 22 })
  client.send({ destination: '10.9.1.1', protocol: PROTOCOL.icmp })
  client.send({ destination: '10.1.2.3', protocol: PROTOCOL.icmp })
  assert.equal(written.length, 3)
})

test('without IPv6 none of its packets go out', () => {
  const { exit, join, written } = rig({ hasIPv6: false })
  join().send({ source: 'fd00::5', destination: SERVER6 })
  assert.equal(written.length, 0)
  assert.equal(exit.counters.malformed, 1)
})

test('who sent nothing to an address hears nothing from it, whatever the one before did; ICMP errors about its packets come', async () => {
  const { exit, join, reply, network, released } = rig()
  const first = join()
  first.send({})
  const address = first.own()
  first.end()
  assert.equal(exit.size, 0)
  reply({ source: SERVER, destination: address })
  assert.equal(exit.counters.unasked, 1)
  released[0]?.done()
  await setImmediate()
  let next = join()
  while (next.own() !== address) next = join()
  reply({ source: SERVER, destination: address })
  assert.equal(exit.counters.unasked, 2)
  assert.deepEqual(next.told, [])
  const about = (destination: string): Uint8Array => makePacket({ source: address, destination })
  const router = '198.51.100.7'
  const error = { source: router, destination: address, protocol: PROTOCOL.icmp, type: 11 }
  reply({ ...error, content: about(SERVER) })
  assert.deepEqual(next.told, [])
  next.send({})
  reply({ ...error, content: about(SERVER) })
  assert.equal(next.told.length, 1)
  assert.ok(exit.size <= network.end - network.first)
})

test("until the system has forgotten what a client began its address is nobody else's, and its session gets no other", async () => {
  const { exit, join, network, released } = rig()
  const session = {}
  const first = join(session)
  first.send({})
  first.end()
  assert.equal(released.length, 1)
  assert.deepEqual(join(session).codes, [SessionCode.limit])
  const others = Array.from({ length: network.end - network.first - 1 }, () => join())
  assert.ok(others.every(({ own }) => own() !== first.own()))
  assert.deepEqual(join().codes, [SessionCode.limit])
  released[0]?.done()
  await setImmediate()
  assert.equal(join(session).own(), first.own())
  assert.equal(exit.size, network.end - network.first)
})

test('who sent nothing leaves nothing to forget', () => {
  const { join, released } = rig()
  const session = {}
  join(session).end()
  assert.deepEqual(join(session).codes, [])
  assert.equal(released.length, 0)
})

test('a session has one channel, and an exit as many clients as addresses', () => {
  const { exit, join, network } = rig()
  const session = {}
  join(session)
  assert.deepEqual(join(session).codes, [SessionCode.limit])
  while (exit.size < network.end - network.first) join()
  assert.deepEqual(join().codes, [SessionCode.limit])
})

test('when all addresses are given, those of clients that sent nothing for ten seconds go to others, the oldest first', async () => {
  const { exit, clock, join, network } = rig()
  const [busy, refused, silent] = [join(), join(), join()]
  busy.send({})
  refused.send({ destination: '10.1.2.3' })
  while (exit.size < network.end - network.first) join()
  await clock.advance(9_999)
  assert.deepEqual(join().codes, [SessionCode.limit])
  await clock.advance(1)
  const [one, two] = [join(), join()]
  assert.deepEqual([busy.codes, refused.codes, silent.codes], [[], [SessionCode.timedOut], [SessionCode.timedOut]])
  assert.deepEqual([one.own(), two.own()], [refused.own(), silent.own()])
  assert.equal(exit.size, network.end - network.first)
  // What was taken back is given back once.
  silent.end()
  assert.equal(exit.size, network.end - network.first)
})

test('while addresses are left, a client that sends nothing keeps its own', async () => {
  const { clock, join } = rig()
  const { codes } = join()
  await clock.advance(10 * 60_000)
  join()
  assert.deepEqual(codes, [])
})
