import { readSync, writeFileSync } from 'node:fs'
import { seededRandom } from '@weft/core'
import { LinuxTun, ReadableWait, loadLinuxTunCalls } from '@weft/vpn'
import { Hub, type HubOptions } from './hub.ts'

/** What the program is told as its one argument, JSON. */
export interface LinkProgramOptions extends Omit<HubOptions, 'random'> {
  /** Interfaces that it makes, one for each end. */
  readonly names: readonly string[]
  readonly seed: number
}

// Run by UserSpaceLink, as a process of its own that does nothing else: it moves packets until its standard input ends. What it reads there, a
// line of JSON at once, is profiles from then on.
const PACKET = 65_536
/** Packets that are read from one end before the others have their turn. */
const TURN = 64

const { names, seed, ...rest } = JSON.parse(process.argv[2] ?? '{}') as LinkProgramOptions
// By default the kernel wakes a process up to 50 µs late, to wake others with it (proc(5)); a route's round trip has eight such waits.
writeFileSync('/proc/self/timerslack_ns', '1')
const calls = await loadLinuxTunCalls()
const ends = names.map((name) => new LinuxTun(calls, name))
const hub = new Hub({ ...rest, random: seededRandom(seed) })
const wait = new ReadableWait(calls, [...ends.map(({ fd }) => fd), 0])
const buffer = Buffer.alloc(PACKET)
process.stdout.write('ready\n')

do {
  const now = performance.now()
  for (const [from, end] of ends.entries()) {
    if (!wait.isReady(from)) continue
    for (let count = 0; count < TURN; count++) {
      const length = end.read(buffer)
      if (length === 0) break
      hub.send(from, Buffer.from(buffer.subarray(0, length)), now)
    }
  }
  for (const [to, end] of ends.entries())
    for (let packet = hub.receive(to, now); packet !== undefined; packet = hub.receive(to, now)) end.write(packet)
  wait.wait(hub.nextDue - performance.now())
} while (!wait.isReady(ends.length) || isChanged())

/** False when there is nothing more to read. */
function isChanged(): boolean {
  const length = readSync(0, buffer)
  if (length === 0) return false
  hub.change(JSON.parse(buffer.toString('utf8', 0, length)) as LinkProgramOptions['profiles'])
  process.stdout.write('changed\n')
  return true
}
