import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { LineProfile } from './line.ts'
import type { LinkProgramOptions } from './link-program.ts'

/** One end of a link: a namespace and its address there, `10.0.0.1/24`. */
export interface LinkEnd {
  readonly namespace: string
  readonly address: string
}

export interface UserSpaceLinkOptions {
  /** Two or more. Of more than two, each sends to the addresses of the others and nowhere else. */
  readonly ends: readonly LinkEnd[]
  /** Of each direction; or of the one from an end to another, by their places in `ends`. */
  readonly profile: LineProfile | ((from: number, to: number) => LineProfile)
  /** What is lost follows from it and from what is sent. Default 1. */
  readonly seed?: number
}

const PROGRAM = join(import.meta.dirname, 'link-program.ts')
/** As Ethernet has it. */
const MTU = 1_500
/** Packets that wait while the process does: what a link loses is what its profile says, also where it has to wait for a processor. */
const QUEUE_PACKETS = '10000'
let links = 0

/**
 * A link between network namespaces that delays, loses and limits, for machines whose kernel has no netem: a process carries
 * each packet from one TUN interface to another. Needs root. Packets come as they would over a wire, none of them joined.
 */
export class UserSpaceLink implements AsyncDisposable {
  readonly #process: ChildProcess
  readonly #ends: number

  private constructor(child: ChildProcess, ends: number) {
    this.#process = child
    this.#ends = ends
  }

  /** @throws Error when the interfaces cannot be made or set up */
  static async open({ ends, profile, seed = 1 }: UserSpaceLinkOptions): Promise<UserSpaceLink> {
    const number = links++
    const names = ends.map((_, end) => `wl${process.pid.toString(36)}${number}e${end}`)
    const hosts = ends.map(({ address }) => address.replace(/\/.*/, ''))
    const profiles = profilesOf(profile, ends.length)
    const options: LinkProgramOptions = { names, hosts, profiles, seed }
    const child = spawn(process.execPath, [PROGRAM, JSON.stringify(options)], { stdio: ['pipe', 'pipe', 'inherit'] })
    const link = new UserSpaceLink(child, ends.length)
    try {
      const over = ended(child)
      // It ends in the end, which is no error then.
      over.catch(() => {})
      await Promise.race([once(child.stdout, 'data'), over])
      for (const [at, { namespace, address }] of ends.entries()) {
        const name = names[at] as string
        ip('link', 'set', name, 'netns', namespace)
        ip('-n', namespace, 'address', 'add', address, 'dev', name)
        ip('-n', namespace, 'link', 'set', name, 'mtu', String(MTU), 'txqueuelen', QUEUE_PACKETS, 'up')
      }
      return link
    } catch (error) {
      await link[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Another profile from now on; one change after the other. */
  async change(profile: UserSpaceLinkOptions['profile']): Promise<void> {
    const { stdin, stdout } = this.#process
    if (stdin === null || stdout === null) return
    const changed = once(stdout, 'data')
    stdin.write(JSON.stringify(profilesOf(profile, this.#ends)))
    await changed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { exitCode, signalCode, stdin } = this.#process
    if (exitCode !== null || signalCode !== null) return
    const gone = once(this.#process, 'exit')
    stdin?.end()
    await gone
  }
}

function profilesOf(profile: UserSpaceLinkOptions['profile'], ends: number): LineProfile[][] {
  const places = Array.from({ length: ends }, (_, at) => at)
  return places.map((from) => places.map((to) => (typeof profile === 'function' ? profile(from, to) : profile)))
}

async function ended(child: ChildProcess): Promise<never> {
  const [code] = (await once(child, 'exit')) as [number | null]
  throw new Error(`the program of the link ended with ${String(code)}`)
}

function ip(...words: readonly string[]): void {
  execFileSync('ip', words, { stdio: 'pipe' })
}
