import { seededRandom } from '@weft/core'
import { LinuxTun, ReadableWait, loadLinuxTunCalls } from '@weft/vpn'
import { Line, type LineProfile } from './line.ts'

/** What the program is told as its one argument, JSON. */
export interface LinkProgramOptions {
  /** Interfaces that it makes, one for each end. */
  readonly names: readonly [string, string]
  readonly profile: LineProfile
  readonly seed: number
}

// Run by UserSpaceLink, as a process of its own that does nothing else: it moves packets until its standard input ends.
const PACKET = 65_536
/** Packets that are read from one end before the other has its turn. */
const TURN = 64

const { names, profile, seed } = JSON.parse(process.argv[2] ?? '{}') as LinkProgramOptions
const calls = await loadLinuxTunCalls()
const random = seededRandom(seed)
const ends = names.map((name) => new LinuxTun(calls, name)) as [LinuxTun, LinuxTun]
const lines = ends.map(() => new Line(profile, random)) as [Line, Line]
const wait = new ReadableWait(calls, [ends[0].fd, ends[1].fd, 0])
const buffer = Buffer.alloc(PACKET)
process.stdout.write('ready\n')

do {
  const now = performance.now()
  for (const [index, line] of lines.entries()) {
    for (let count = 0; count < TURN; count++) {
      const length = (ends[index] as LinuxTun).read(buffer)
      if (length === 0) break
      line.send(Buffer.from(buffer.subarray(0, length)), now)
    }
    const far = ends[1 - index] as LinuxTun
    for (let packet = line.receive(now); packet !== undefined; packet = line.receive(now)) far.write(packet)
  }
  const due = Math.min(...lines.map(({ nextDue }) => nextDue ?? Number.POSITIVE_INFINITY))
  wait.wait(due - performance.now())
} while (!wait.isReady(2))
