import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { readFileSync } from 'node:fs'
import { LinuxTun, loadLinuxTunCalls } from '../../packages/vpn/src/tun/linux-tun.ts'
import { TunPort } from '../../packages/vpn/src/tun/tun-port.ts'

/** Runs in a network namespace of its own: packets that the system sends into an interface come, and it goes with its port. */
const NAME = 'weft-test'
const calls = await loadLinuxTunCalls()
const got: Buffer[] = []
const all = Promise.withResolvers<undefined>()
const TOTAL = 3_000
/** Under way at once: the interface keeps 500 for who does not read. */
const WINDOW = 64
const socket = createSocket('udp4')
let sent = 0
const send = (): void => socket.send(Buffer.from(String(sent++)), 9, '10.9.0.2')
// As a thread would leave it that ended before it could close it.
void new LinuxTun(calls, NAME).fd
const port = new TunPort(calls, {
  name: NAME,
  onPacket: (bytes, length) => {
    if (bytes[9] !== 17) return
    got.push(Buffer.from(bytes.subarray(28, length)))
    if (sent < TOTAL) send()
    else if (got.length === TOTAL) all.resolve(undefined)
  },
  onGone: (error) => all.reject(error),
})
assert.ok(!port.write(Uint8Array.of(0x45)), 'it is down')
execFileSync('ip', ['-batch', '-'], {
  input: `link set dev ${NAME} mtu 1280\naddress add 10.9.0.1/24 dev ${NAME}\nlink set dev ${NAME} up\n`,
})
port.start()
for (let i = 0; i < WINDOW; i++) send()
await all.promise
assert.deepEqual(
  got.map(String),
  Array.from({ length: TOTAL }, (_, number) => String(number)),
)
port.close()
socket.close()
// The descriptor is closed once nothing waits for it any more, and the process ends when nothing is left to do.
process.on('exit', () => {
  assert.ok(!readFileSync('/proc/net/dev', 'utf8').includes(NAME), 'the interface is gone')
  process.stdout.write('gone\n')
})
