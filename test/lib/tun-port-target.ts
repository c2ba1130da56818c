import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { FlushQueue } from '../../packages/vpn/src/engine/flush-queue.ts'
import { LinuxTun, loadLinuxTunCalls } from '../../packages/vpn/src/tun/linux-tun.ts'
import { TunPort } from '../../packages/vpn/src/tun/tun-port.ts'
import { makePacket } from '../../packages/vpn/test/ip/make-packet.ts'

/** Runs in a network namespace of its own: packets that the system sends into an interface come, and it goes with its port. */
const NAME = 'weft-test'
const calls = await loadLinuxTunCalls()
const got: Buffer[] = []
const all = Promise.withResolvers<undefined>()
const TOTAL = 3_000
/** Under way at once: the interface keeps 500 for who does not read. */
const WINDOW = 64
const hasSuperUdp = ((): boolean => {
  using tun = new LinuxTun(calls, `${NAME}2`, true)
  return tun.offload.udp
})()
const socket = createSocket('udp4')
let sent = 0
const send = (): void => socket.send(Buffer.from(String(sent++)), 9, '10.9.0.2')
// As a thread would leave it that ended before it could close it.
void new LinuxTun(calls, NAME).fd
const port = new TunPort(calls, {
  name: NAME,
  mostBytes: 1_280,
  queue: new FlushQueue(() => {}),
  onPacket: (bytes, length) => {
    if (bytes[9] !== 17) return
    got.push(Buffer.from(bytes.subarray(28, length)))
    if (sent < TOTAL) send()
    else if (got.length === TOTAL) all.resolve(undefined)
  },
  onGone: (error) => all.reject(error),
})
port.room.set(makePacket({ source: '10.9.0.2', destination: '10.9.0.1' }))
port.write(31)
assert.equal(port.counters.refused, 1, 'it is down')
execFileSync('ip', ['-batch', '-'], {
  input: `link set dev ${NAME} mtu 1280\naddress add 10.9.0.1/24 dev ${NAME}\naddress add fd09::1/64 dev ${NAME} nodad\nlink set dev ${NAME} up\n`,
})
port.start()
for (let i = 0; i < WINDOW; i++) send()
await all.promise
assert.deepEqual(
  got.map(String),
  Array.from({ length: TOTAL }, (_, number) => String(number)),
)
await takesMerged('udp4', '10.9.0.2', '10.9.0.1')
await takesMerged('udp6', 'fd09::2', 'fd09::1')
port.close()
socket.close()
// The descriptor is closed once nothing waits for it any more, and the process ends when nothing is left to do.
process.on('exit', () => {
  assert.ok(!readFileSync('/proc/net/dev', 'utf8').includes(NAME), 'the interface is gone')
  process.stdout.write('gone\n')
})

/** Datagrams that are written as one super-packet come to a socket one by one, where the system has such; otherwise all the same. */
async function takesMerged(type: 'udp4' | 'udp6', source: string, destination: string): Promise<void> {
  const count = 20
  const receiver = createSocket(type)
  receiver.bind(0, destination)
  await once(receiver, 'listening')
  const came: Buffer[] = []
  const complete = Promise.withResolvers<undefined>()
  receiver.on('message', (message) => {
    if (came.push(message) === count) complete.resolve(undefined)
  })
  const { port: toPort } = receiver.address()
  const contents = Array.from({ length: count }, (_, at) => Buffer.alloc(at === count - 1 ? 300 : 1_200, at))
  const { writtenSuper, merged, writtenPackets } = port.counters
  for (const [at, content] of contents.entries()) {
    const packet = Buffer.from(makePacket({ source, destination, port: toPort, content }))
    if (type === 'udp4') {
      // Each has the next number, and a checksum with it.
      packet.writeUInt16BE(at, 4)
      packet.writeUInt16BE((packet.readUInt16BE(10) - at) & 0xffff, 10)
    }
    port.room.set(packet)
    port.write(packet.length)
  }
  await complete.promise
  assert.deepEqual(came, contents)
  assert.equal(port.counters.writtenPackets, writtenPackets + count)
  if (hasSuperUdp)
    assert.deepEqual([port.counters.writtenSuper, port.counters.merged], [writtenSuper + 1, merged + count])
  receiver.close()
}
