import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { PROTOCOL, u16 } from '../../packages/vpn/src/ip/ip-header.ts'
import { LinuxTun, loadLinuxTunCalls } from '../../packages/vpn/src/tun/linux-tun.ts'
import { INNER4, INNER6, INTERFACE } from '../../packages/vpn/src/tun/machine-rules-text.ts'
import { MachineRules, leftRules } from '../../packages/vpn/src/tun/machine-rules.ts'
import type { Programs } from '../../packages/vpn/src/tun/split-programs.ts'
import { type PacketShape, makePacket } from '../../packages/vpn/test/ip/make-packet.ts'
import { FLAGS, type Tcp, withTcp } from './with-tcp.ts'

/**
 * Runs in a network namespace of its own and plays the exit behind an interface with a tunnel's rules: `called` calls the machine by it, `beside` by the
 * other one, `routed` has routes that a rogue DHCP server handed out, `renewed` puts the rules anew, `failed` fails to, `names` asks for names, `names6` and `names6split` by IPv6, and
 * `included` and `excluded` answer a program of a user who alone goes through it, or beside it. None may get anything out by the other interface.
 */
const FAR4 = '203.0.113.9'
const FAR6 = '2001:db8:9::9'
const NOBODY = 65_534
const PORT = 9_090
const DNS_PORT = 9_053
const DNS_PORT6 = 9_054
/** As systemd-resolved has it. */
const RESOLVER = '127.0.0.53'
const IPV4_BYTES = 20
const NONE: Programs = { uids: [], cgroups: [] }

const [what] = process.argv.slice(2)
const ip = (...words: readonly string[]): void => void execFileSync('ip', words, { stdio: 'pipe' })
const calls = await loadLinuxTunCalls()
const wire = new LinuxTun(calls, 'wire')
ip('link', 'set', 'lo', 'up')
ip('address', 'add', '192.0.2.2/24', 'dev', 'wire')
ip('address', 'add', '2001:db8::2/64', 'dev', 'wire', 'nodad')
ip('link', 'set', 'wire', 'up')
ip('route', 'add', 'default', 'dev', 'wire')
ip('-6', 'route', 'add', 'default', 'dev', 'wire')

const directory = mkdtempSync(join(tmpdir(), 'weft-tun-rules-'))
const stateFile = join(directory, 'tun.json')
let tun = new LinuxTun(calls, INTERFACE)
const put = (): Promise<MachineRules> =>
  MachineRules.put(
    {
      exclude: what === 'names6split' ? ['198.51.100.0/24'] : [],
      include: [],
      excludePrograms: what === 'excluded' ? { uids: [NOBODY], cgroups: [] } : NONE,
      includePrograms: what === 'included' || what === 'names' ? { uids: [NOBODY], cgroups: [] } : NONE,
      dnsPort: what?.startsWith('names') === true ? DNS_PORT : undefined,
      dnsPort6: what?.startsWith('names6') === true ? DNS_PORT6 : undefined,
      uid: 0,
    },
    [],
    stateFile,
  )
let rules = await put()
try {
  if (what === 'included') await answerProgram(tun)
  else if (what === 'excluded') await answerProgram(wire)
  else if (what === 'names') await askResolver()
  else if (what === 'names6' || what === 'names6split') await askByIPv6()
  else if (what === 'renewed') await renewRules()
  else if (what === 'failed') await failToRenew()
  else if (what === 'routed') await sendByRoutes()
  else await callMachine(what === 'called' ? tun : wire)
} finally {
  const other = what === 'excluded' ? tun : wire
  assert.deepEqual(packets(other).map(hex), [], 'nothing leaves by the other interface')
  await rules.remove()
  tun[Symbol.dispose]()
  rmSync(directory, { recursive: true, force: true })
}
process.stdout.write('kept\n')
process.exit()

/** What a hostile exit, or somebody on the same wire, sends to find out where a client is, what listens there and whom it speaks with. */
async function callMachine(by: LinuxTun): Promise<void> {
  let heard = 0
  const server = createServer(() => heard++).listen(PORT, '::')
  await once(server, 'listening')
  const datagrams = createSocket('udp6', () => heard++)
  datagrams.bind(PORT, '::')
  await once(datagrams, 'listening')
  for (const [source, destination, icmp, type] of [
    [FAR4, INNER4, PROTOCOL.icmp, 8],
    [FAR6, INNER6, PROTOCOL.icmpv6, 128],
  ] as const) {
    const shapes: readonly PacketShape[] = [
      { source, destination, protocol: icmp, type },
      { source, destination, port: PORT },
      { source, destination, port: 9 },
      { source, destination, protocol: 47 },
    ]
    for (const shape of shapes) assert.ok(by.write(makePacket(shape)))
    for (const port of [PORT, 9])
      for (const flags of [FLAGS.syn, FLAGS.ack, FLAGS.fin]) {
        const packet = makePacket({ source, destination, protocol: PROTOCOL.tcp, port, content: new Uint8Array() })
        assert.ok(by.write(withTcp(packet, { flags, sequence: 7, acknowledged: 0 })))
      }
  }
  await setImmediate()
  assert.deepEqual([heard, packets(tun).map(hex)], [0, []], 'nobody here hears it')
}

/**
 * Routes as a rogue DHCP server has its clients set them (option 121, RFC 3442; CVE-2024-3661), and router advertisements those of IPv6 (RFC 4191): more specific
 * than the tunnel's; then also where they are asked before all rules, which no such client does.
 */
async function sendByRoutes(): Promise<void> {
  for (const route of ['0.0.0.0/1', '128.0.0.0/1', '203.0.113.0/24', `${FAR4}/32`])
    ip('route', 'add', route, 'via', '192.0.2.1', 'dev', 'wire')
  for (const route of ['::/1', '8000::/1', '2001:db8:9::/48', `${FAR6}/128`])
    ip('-6', 'route', 'add', route, 'via', '2001:db8::1', 'dev', 'wire')
  await sendAll()
  const protocols = packets(tun).map((packet) => packet[9])
  assert.deepEqual(new Set(protocols), new Set<number>([PROTOCOL.udp, PROTOCOL.tcp]))
  ip('route', 'add', `${FAR4}/32`, 'via', '192.0.2.1', 'dev', 'wire', 'table', 'local')
  await sendAll()
  assert.deepEqual(packets(tun).map(hex), [], 'the system leads them to the other interface')
}

/** By TCP, by UDP, by UDP with the address of the other interface, and by IPv6, which the exit has not. */
async function sendAll(): Promise<void> {
  const connection = connect({ host: FAR4, port: PORT }).on('error', () => {})
  const bound = createSocket('udp4').on('error', () => {})
  bound.bind(0, '192.0.2.2')
  await once(bound, 'listening')
  const sockets = [createSocket('udp4'), bound, createSocket('udp6')]
  for (const [at, socket] of sockets.entries())
    // Where it is dropped, or there is no way, that is told.
    await new Promise((resolve) => socket.on('error', () => {}).send('1', PORT, at < 2 ? FAR4 : FAR6, resolve))
  await setImmediate()
  connection.destroy()
  for (const socket of sockets) socket.close()
}

/** Rules that a thread left when it ended give place to others while a program sends. */
async function renewRules(): Promise<void> {
  tun[Symbol.dispose]()
  const socket = createSocket('udp4').on('error', () => {})
  socket.bind()
  await once(socket, 'listening')
  tun = new LinuxTun(calls, INTERFACE)
  const done = { isPut: false }
  const renewed = put().then((next) => {
    rules = next
    done.isPut = true
  })
  while (!done.isPut) {
    // Where there is no way for it, that is told.
    await new Promise((resolve) => socket.send('1', PORT, FAR4, resolve))
    await setImmediate()
  }
  await renewed
  socket.close()
}

/** Rules that were left stay where those that are to take their place cannot be put; where there were none, none are left. */
async function failToRenew(): Promise<void> {
  tun[Symbol.dispose]()
  await assert.rejects(put(), /weft0/)
  assert.equal(await leftRules(stateFile), 'standing')
  const socket = createSocket('udp4')
  // Dropped, which the system tells who sends.
  await new Promise((resolve) => socket.send('1', PORT, FAR4, resolve))
  socket.close()
  assert.deepEqual(packets(wire).map(hex), [])
  await rules.remove()
  await assert.rejects(put(), /weft0/)
  assert.equal(await leftRules(stateFile), 'none')
  tun = new LinuxTun(calls, INTERFACE)
}

/** A resolver of the machine that another user runs gets the questions of who is not included alone. */
async function askResolver(): Promise<void> {
  const heard: string[] = []
  const all = Promise.withResolvers<undefined>()
  for (const [port, host] of [
    [DNS_PORT, '127.0.0.1'],
    [53, RESOLVER],
  ] as const) {
    const server = createSocket('udp4', (question) => {
      heard.push(`${question.toString()} ${port}`)
      if (heard.length === 2) all.resolve(undefined)
    })
    server.bind(port, host)
    await once(server, 'listening')
  }
  for (const user of [NOBODY, 0]) {
    const socket = createSocket('udp4')
    process.seteuid?.(user)
    socket.bind()
    await once(socket, 'listening')
    process.seteuid?.(0)
    socket.send(String(user), 53, RESOLVER)
  }
  await all.promise
  assert.deepEqual(heard.toSorted(), ['0 53', `${NOBODY} ${DNS_PORT}`])
}

/** Name servers of IPv6 are asked while the exit has no IPv6: the daemon answers in their place. */
async function askByIPv6(): Promise<void> {
  const datagrams = createSocket('udp6', (question, from) => datagrams.send(question, from.port, from.address))
  datagrams.bind(DNS_PORT6, '::1')
  await once(datagrams, 'listening')
  const server = createServer((socket) => socket.pipe(socket)).listen(DNS_PORT6, '::1')
  await once(server, 'listening')
  const socket = createSocket('udp6')
  socket.send('by UDP', 53, FAR6)
  const [answer] = (await once(socket, 'message')) as [Buffer]
  assert.equal(answer.toString(), 'by UDP')
  const connection = connect({ host: FAR6, port: 53 })
  await once(connection, 'connect')
  connection.end('by TCP')
  assert.equal(Buffer.concat(await connection.toArray()).toString(), 'by TCP')
}

/** A connection to its end and beyond, when no program has it any more. */
async function answerProgram(way: LinuxTun): Promise<void> {
  process.seteuid?.(NOBODY)
  const socket = connect({ host: FAR4, port: PORT, allowHalfOpen: true })
  await setImmediate()
  process.seteuid?.(0)
  await reply(way, FLAGS.syn | FLAGS.ack)
  await once(socket, 'connect')
  const closed = once(socket, 'close')
  socket.destroy()
  await closed
  // The system acknowledges this for nobody, and tells the rest that there is nobody.
  const { packet, sequence, acknowledged } = await reply(way, FLAGS.fin | FLAGS.ack)
  for (const flags of [FLAGS.fin | FLAGS.ack, FLAGS.ack])
    way.write(withTcp(packet, { flags, sequence: sequence + 100_000, acknowledged }))
  const datagrams = createSocket('udp4')
  process.seteuid?.(NOBODY)
  datagrams.bind()
  await once(datagrams, 'listening')
  process.seteuid?.(0)
  datagrams.send('1', PORT, FAR4)
  const sent = await next(way, PROTOCOL.udp)
  datagrams.close()
  await once(datagrams, 'close')
  const port = u16(sent, IPV4_BYTES)
  // Unreachable, says the system.
  way.write(makePacket({ source: FAR4, destination: sourceOf(sent), sourcePort: PORT, port }))
  assert.equal((await next(way, PROTOCOL.icmp))[IPV4_BYTES], 3)
}

/** Answers the next segment without content that came, as its other side would. */
async function reply(way: LinuxTun, flags: number): Promise<Tcp & { readonly packet: Uint8Array }> {
  const came = await next(way, PROTOCOL.tcp)
  const packet = makePacket({
    source: FAR4,
    destination: sourceOf(came),
    protocol: PROTOCOL.tcp,
    port: u16(came, IPV4_BYTES),
    sourcePort: PORT,
    content: new Uint8Array(),
  })
  const view = new DataView(came.buffer, came.byteOffset)
  const ends = ((came[IPV4_BYTES + 13] as number) & (FLAGS.syn | FLAGS.fin)) === 0 ? 0 : 1
  const tcp = {
    flags,
    sequence: view.getUint32(IPV4_BYTES + 8),
    acknowledged: view.getUint32(IPV4_BYTES + 4) + ends,
  }
  way.write(withTcp(packet, tcp))
  return { ...tcp, packet }
}

function sourceOf(packet: Uint8Array): string {
  return packet.subarray(12, 16).join('.')
}

function hex(packet: Uint8Array): string {
  return Buffer.from(packet).toString('hex')
}

/** The next packet of a protocol of IPv4 that the machine sends into an interface. */
async function next(of: LinuxTun, protocol: number): Promise<Uint8Array> {
  const until = performance.now() + 5_000
  while (performance.now() < until) {
    const found = packets(of).find((packet) => packet[0] === 0x45 && packet[9] === protocol)
    if (found !== undefined) return found
    await setImmediate()
  }
  throw new Error(`nothing of protocol ${protocol} came`)
}

/** What the machine sent into an interface, but for what it says of itself to neighbours. */
function packets(of: LinuxTun): Uint8Array[] {
  const room = new Uint8Array(65_535)
  const all: Uint8Array[] = []
  for (let length = of.read(room); length > 0; length = of.read(room))
    if (room[0] === 0x45 || room[24] !== 0xff) all.push(room.slice(0, length))
  return all
}
