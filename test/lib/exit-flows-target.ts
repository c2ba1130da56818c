import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { readFileSync, writeFileSync } from 'node:fs'
import { ipv6Groups, systemClock } from '../../packages/core/src/index.ts'
import {
  IpChannel,
  IpPacketPool,
  SessionCode,
  type SessionStream,
  ipFromBytes,
} from '../../packages/onion/src/index.ts'
import { ExitPackets } from '../../packages/vpn/src/engine/exit-packets.ts'
import { FlushQueue } from '../../packages/vpn/src/engine/flush-queue.ts'
import { ExitPolicy } from '../../packages/vpn/src/exit/exit-policy.ts'
import { flowLimits } from '../../packages/vpn/src/exit/flow-limits.ts'
import { sharedRules } from '../../packages/vpn/src/exit/ip-way-out-rules.ts'
import { IpWayOut } from '../../packages/vpn/src/exit/ip-way-out.ts'
import { PROTOCOL, u16 } from '../../packages/vpn/src/ip/ip-header.ts'
import { LinuxTun, loadLinuxTunCalls } from '../../packages/vpn/src/tun/linux-tun.ts'
import { runCommand } from '../../packages/vpn/src/tun/run-command.ts'
import { type PacketShape, makePacket } from '../../packages/vpn/test/ip/make-packet.ts'
import { eventually } from './eventually.ts'
import { FLAGS, withTcp } from './with-tcp.ts'

/**
 * Runs in a network namespace of its own: an exit's way out with the kernel's own rules, between clients and a wire, both played here.
 */
const FAR4 = '203.0.113.9'
const FAR6 = '2600::9'
const OWN4 = '192.0.2.2'
const MOST_OF_CLIENT = 1_024
const KEY = new Uint8Array(32).fill(7)
const NAME = 'weftx07070707'
const SYN_SENT_SECONDS = 30
const DATAGRAM_SECONDS = 30

interface Client {
  readonly own4: string
  readonly own6: string
  /** What came back for it. */
  readonly heard: Uint8Array[]
  send(shape: Partial<PacketShape>): void
  leave(): void
}

const [what] = process.argv.slice(2)
const ip = (...words: readonly string[]): void => void execFileSync('ip', words, { stdio: 'pipe' })
const wire = new LinuxTun(await loadLinuxTunCalls(), 'wire')
ip('link', 'set', 'lo', 'up')
ip('address', 'add', `${OWN4}/24`, 'dev', 'wire')
ip('address', 'add', '2600::2/64', 'dev', 'wire', 'nodad')
ip('link', 'set', 'wire', 'up')
ip('route', 'add', 'default', 'dev', 'wire')
ip('-6', 'route', 'add', 'default', 'dev', 'wire')
writeFileSync('/proc/sys/net/ipv6/conf/all/forwarding', '1')

const { wayOut, exit } = await open()
await ({ one, all, often, gone, closed, left } as Record<string, () => Promise<void>>)[what as string]?.()
await wayOut.close()
process.stdout.write('kept\n')
process.exit()

/** One client begins more than it may, by both versions. */
async function one(): Promise<void> {
  const [greedy, other] = [join(), join()]
  for (let index = 0; index < MOST_OF_CLIENT / 2; index++) {
    greedy.send({ destination: FAR4, port: 1000 + index, protocol: PROTOCOL.tcp, content: new Uint8Array() })
    greedy.send({ destination: FAR6, port: 1000 + index })
  }
  await eventually(
    'all flows that are allowed',
    () => Promise.resolve(flowsOf(greedy)),
    (flows) => flows.length === MOST_OF_CLIENT,
  )
  assert.deepEqual(greedy.heard, [], 'nothing is refused')
  const seconds = (flow: string): number => Number(/^\S+\s+\d+\s+\S+\s+\d+\s+(\d+)/.exec(flow)?.[1])
  const most = (protocol: string): number =>
    Math.max(
      ...flowsOf(greedy)
        .filter((flow) => flow.includes(` ${protocol} `))
        .map(seconds),
    )
  assert.ok(most('tcp') <= SYN_SENT_SECONDS && most('tcp') > 0, `${most('tcp')} s for what nobody answered`)
  assert.ok(most('udp') <= DATAGRAM_SECONDS && most('udp') > 0, `${most('udp')} s for a datagram`)

  drained()
  for (const destination of [FAR4, FAR6]) greedy.send({ destination, port: 9_000, content: Uint8Array.of(9, 9, 9) })
  for (const [version, type, code] of [
    [4, 3, 13],
    [6, 1, 1],
  ] as const) {
    const told = await heardBy(greedy, (packet) => (packet[0] as number) >> 4 === version)
    const at = version === 4 ? 20 : 40
    assert.deepEqual([told[at], told[at + 1]], [type, code], 'administratively prohibited')
  }
  assert.equal(flowsOf(greedy).length, MOST_OF_CLIENT)

  greedy.send({ destination: FAR6, port: 1_000 })
  other.send({ destination: FAR4, port: 9_001 })
  other.send({ destination: FAR6, port: 9_001 })
  await eventually(
    'flows of somebody else',
    () => Promise.resolve(flowsOf(other)),
    (flows) => flows.length === 2,
  )
  const ports = drained().map((packet) => u16(packet, ((packet[0] as number) >> 4 === 4 ? 20 : 40) + 2))
  assert.deepEqual(
    ports.toSorted((a, b) => a - b),
    [1_000, 9_001, 9_001],
    'what is tracked goes on, of others all',
  )
}

/** All clients together: of a table that is small, whose limits are put in place of the machine's. */
async function all(): Promise<void> {
  const limits = flowLimits(1_024)
  assert.deepEqual([limits.perClient, limits.groups, limits.perGroup], [32, 16, 32])
  await runCommand('nft', ['-f', '-'], sharedRules(NAME, wayOut.network, [], limits))
  const clients = Array.from({ length: 40 }, join)
  for (let index = 0; index < 100; index++)
    for (const client of clients) client.send({ destination: index % 2 === 0 ? FAR4 : FAR6, port: 1000 + index })
  await heardBy(clients[0] as Client, () => true)
  assert.equal(clients.flatMap(flowsOf).length, 512)
  assert.equal((await ownFlow())(), 1)
}

/** One client begins more in a second than it may, though it may hold more. */
async function often(): Promise<void> {
  const limits = { ...flowLimits(262_144), perSecond: 1, atOnce: 8 }
  await runCommand('nft', ['-f', '-'], sharedRules(NAME, wayOut.network, [], limits))
  const [hasty, other] = [join(), join()]
  for (let index = 0; index < 100; index++)
    hasty.send({ destination: index % 2 === 0 ? FAR4 : FAR6, port: 1000 + index })
  other.send({})
  await heardBy(hasty, () => true)
  const { length } = flowsOf(hasty)
  // One more for each second that this takes.
  assert.ok(length >= 8 && length < 50, String(length))
  assert.equal(flowsOf(other).length, 1)
}

/** A client leaves: its entries go, nobody else's do. */
async function gone(): Promise<void> {
  const [first, second] = [join(), join()]
  for (const client of [first, second])
    for (let index = 0; index < 300; index++) {
      client.send({ destination: FAR4, port: 1_000 + index, protocol: PROTOCOL.tcp, content: new Uint8Array() })
      client.send({ destination: FAR6, port: 1_000 + index })
    }
  const own = await ownFlow()
  await eventually(
    'all flows',
    () => Promise.resolve(flowsOf(first).length + flowsOf(second).length),
    (sum) => sum === 1_200,
  )
  first.leave()
  await eventually(
    'no flow of who left',
    () => Promise.resolve(flowsOf(first)),
    (flows) => flows.length === 0,
  )
  assert.equal(flowsOf(second).length, 600)
  assert.equal(own(), 1)
}

/** The way out closes. */
async function closed(): Promise<void> {
  const client = join()
  for (const destination of [FAR4, FAR6])
    for (let index = 0; index < 400; index++) client.send({ destination, port: 1_000 + index })
  const own = await ownFlow()
  await eventually(
    'all flows',
    () => Promise.resolve(flowsOf(client)),
    (flows) => flows.length === 800,
  )
  await wayOut.close()
  assert.deepEqual(flowsOf(client), [])
  assert.equal(own(), 1)
}

/** Another begins where one was killed: what that one left is counted by nobody. */
async function left(): Promise<void> {
  const client = join()
  for (const destination of [FAR4, FAR6]) client.send({ destination, port: 1_000 })
  await eventually(
    'flows',
    () => Promise.resolve(flowsOf(client)),
    (flows) => flows.length === 2,
  )
  ip('link', 'delete', NAME)
  const next = await open()
  assert.deepEqual(flowsOf(client), [])
  await next.wayOut.close()
}

async function open(): Promise<{ readonly wayOut: IpWayOut; readonly exit: ExitPackets }> {
  const packets: { exit?: ExitPackets } = {}
  const wayOut = await IpWayOut.open({
    nodeKey: KEY,
    queue: new FlushQueue(() => {}),
    clock: systemClock,
    onPacket: (bytes, length) => packets.exit?.fromOutside(bytes, length),
    onGone: () => {},
  })
  const exit = new ExitPackets({
    policy: new ExitPolicy({ clock: systemClock, allow: [], deny: [], own: [] }),
    clock: systemClock,
    network: wayOut.network,
    write: (packet) => wayOut.write(packet),
    release: (number) => wayOut.release(number),
  })
  packets.exit = exit
  wayOut.start()
  return { wayOut, exit }
}

function join(): Client {
  const channel = new IpChannel({
    clock: systemClock,
    packets: new IpPacketPool(100),
    mostPacketBytes: 1280,
    schedule: () => {},
  })
  const heard: Uint8Array[] = []
  let own6 = ''
  const stream = {
    ip: channel,
    handler: {} as SessionStream['handler'],
    accept: (given: string) => {
      own6 = given
      channel.begin(0)
    },
    refuse: () => assert.fail('refused'),
    reset: () => {},
  }
  exit.take(stream as unknown as SessionStream, {}, () => {
    for (let length = channel.queue.firstLength(0); length >= 0; length = channel.queue.firstLength(0)) {
      heard.push(channel.queue.first.slice(0, length))
      channel.queue.shift()
    }
  })
  const own4 = ipFromBytes(makePacket({ source: own6, destination: FAR6 }).subarray(20, 24))
  const send = (shape: Partial<PacketShape>): void => {
    const { destination = FAR4 } = shape
    const packet = makePacket({ source: destination.includes(':') ? own6 : own4, ...shape, destination })
    channel.handler.onPacket?.(
      shape.protocol === PROTOCOL.tcp ? withTcp(packet, { flags: FLAGS.syn, sequence: 1, acknowledged: 0 }) : packet,
    )
  }
  return { own4, own6, heard, send, leave: () => stream.handler.onReset?.(SessionCode.none) }
}

/** Entries of connection tracking that it began. */
function flowsOf({ own4, own6 }: Client): string[] {
  const groups = ipv6Groups(own6).map((group) => group.padStart(4, '0'))
  const sources = [own4, groups.join(':')].map((address) => ` src=${address} `)
  return entries().filter((entry) => sources.some((source) => entry.includes(source)))
}

function entries(): string[] {
  return readFileSync('/proc/net/nf_conntrack', 'utf8').split('\n')
}

/** A flow of the machine's own; how often it is tracked. */
async function ownFlow(): Promise<() => number> {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve, reject) => {
    socket.send('own', 53, FAR4, (error) => (error === null ? resolve() : reject(error)))
  })
  socket.close()
  return () =>
    entries().filter((entry) => entry.includes(` src=${OWN4} dst=${FAR4} `) && entry.includes(' dport=53 ')).length
}

/** What it hears, once there is one that is looked for. */
async function heardBy({ heard }: Client, isWanted: (packet: Uint8Array) => boolean): Promise<Uint8Array> {
  await eventually(
    'a packet',
    () => Promise.resolve(heard.filter(isWanted).length),
    (count) => count > 0,
  )
  return heard.find(isWanted) as Uint8Array
}

/** What went out, but for what the machine says of itself to neighbours. */
function drained(): Uint8Array[] {
  const room = new Uint8Array(65_535)
  const found: Uint8Array[] = []
  for (let length = wire.read(room); length > 0; length = wire.read(room))
    if (room[0] === 0x45 || room[24] !== 0xff) found.push(room.slice(0, length))
  return found
}
