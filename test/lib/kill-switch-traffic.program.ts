import { createSocket } from 'node:dgram'
import { connect, createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { RawSocket } from './raw-sockets.ts'

/**
 * Runs in a namespace and sends all that a machine could, again and again, until it is ended: by TCP, UDP, ICMP, IPv6, to name servers, to the LAN, by
 * sockets that are bound to a device, over connections that stand, and in answer to who calls it. A line with a number on its standard input
 * has it send a datagram of so many bytes as a client of DHCP does, which shows whoever watches that all before it was seen; one with `burst`
 * has it ask for names, and send by IPv6, many times at once.
 */
interface Traffic {
  readonly device: string
  /** Of the LAN, and beyond it. */
  readonly lan: string
  readonly far: string
  readonly far6: string
  readonly exit: string
  readonly name: string
  /** ms between rounds. */
  readonly every: number
}

const BURST = 50

const OPEN_MOST = 64
/** Echo, of ICMP and ICMPv6, whose checksum the system does not need to be true. */
const ECHO = Buffer.from([8, 0, 0xf7, 0xff, 0, 0, 0, 0])
const ECHO6 = Buffer.from([128, 0, 0, 0, 0, 0, 0, 0])
const ICMP = 1
const ICMPV6 = 58
/** For experiments (RFC 3692). */
const OTHER = 253

const { device, lan, far, far6, exit, name, every } = JSON.parse(process.argv[2] ?? '{}') as Traffic
const one = Buffer.from('1')
const udp4 = createSocket('udp4').on('error', () => {})
const udp6 = createSocket('udp6').on('error', () => {})
const [raw4, raw6, other] = [
  new RawSocket(4, { protocol: ICMP }),
  new RawSocket(6, { protocol: ICMPV6 }),
  new RawSocket(4, { protocol: OTHER }),
]
let open = 0

// Whoever calls is answered, and spoken to as long as it stands.
createServer((socket) => {
  const speak = setInterval(() => socket.write('answer'), every)
  socket.on('error', () => {}).on('close', () => clearInterval(speak))
}).listen(9_090, '0.0.0.0')
const called = createSocket('udp4', (_, { port, address }) => called.send(one, port, address, () => {}))
called.on('error', () => {}).bind(9_090)
// One that stands from the beginning, and is begun again when it ends.
let standing = 0
const stand = (): void => {
  if (standing > 0) return
  standing++
  const socket = connect({ host: lan, port: 7_100 })
  const speak = setInterval(() => socket.write('standing'), every)
  socket.on('error', () => {})
  socket.on('close', () => {
    clearInterval(speak)
    standing--
  })
}

setInterval(() => {
  stand()
  for (const [host, port] of [
    [far, 7_000],
    [exit, 7_001],
    [lan, 7_002],
    [name, 53],
    [lan, 53],
    ['224.0.0.251', 5_353],
  ] as const)
    udp4.send(one, port, host, () => {})
  for (const [host, port] of [
    [far6, 7_003],
    [far6, 53],
    ['fd00:60::1', 7_004],
  ] as const)
    udp6.send(one, port, host, () => {})
  raw4.send(ECHO, far)
  raw4.send(ECHO, lan)
  raw6.send(ECHO6, far6)
  other.send(one, far)
  // A link that went takes its sockets with it.
  try {
    const bound = boundSocket()
    bound.send(one, far, 7_005)
    bound.send(one, lan, 53)
  } catch {
    // It is not there at the moment.
  }
  for (const [host, port] of [
    [far, 8_080],
    [lan, 53],
    [lan, 9],
    [far6, 8_080],
  ] as const)
    call(host, port)
}, every)

let bound: RawSocket | undefined
function boundSocket(): RawSocket {
  bound ??= new RawSocket(4, { device })
  return bound
}

function call(host: string, port: number): void {
  if (open >= OPEN_MOST) return
  open++
  const socket = connect({ host, port, signal: AbortSignal.timeout(500) })
  socket.on('connect', () => socket.destroy()).on('error', () => {})
  socket.on('close', () => open--)
}

function burst(): void {
  for (let times = 0; times < BURST; times++) {
    for (const host of [name, lan, far]) udp4.send(one, 53, host, () => {})
    for (const port of [53, 443, 7_003]) udp6.send(one, port, far6, () => {})
    call(lan, 53)
    call(far6, 443)
  }
}

const fence = new RawSocket(4, { device, sourcePort: 68 })
createInterface(process.stdin).on('line', (line) => {
  if (line === 'burst') return burst()
  const isTaken = fence.send(Buffer.alloc(Number(line)), lan, 67)
  process.stdout.write(`${isTaken ? 'sent' : 'refused'} ${line}\n`)
})
process.stdout.write('up\n')
