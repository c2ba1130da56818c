import { execFile, execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { LineProfile } from '../../packages/devnet/src/user-space-link/line.ts'
import { type LinkEnd, UserSpaceLink } from '../../packages/devnet/src/user-space-link/user-space-link.ts'
import { makeHome, startDaemonIn, startScriptIn } from '../lib/daemon-in-namespace.ts'
import { weft } from '../lib/bench-devnet.ts'
import { holdLine } from '../lib/hold-line.ts'

const run = promisify(execFile)
const TARGET = join(import.meta.dirname, '..', 'lib', 'distant-target.ts')

/** Of nodes on one machine, each in a /16 of its own. */
const NODES = [
  { name: 'v', roles: 'validator,storage' },
  { name: 'entry', roles: 'entry' },
  { name: 'relay', roles: 'relay' },
  { name: 'exit', roles: 'exit' },
] as const
const TARGET_HOST = '198.18.0.1'
const ROUTE_MS = 120_000

export interface DistantNetworkOptions {
  readonly basePort: number
  /** The link between the client and all others, each way: late and with losses (UserSpaceLink), or a wire that is held at a rate. */
  readonly link: LineProfile | { readonly heldAtMbit: number }
  /** Settings of the client, lines of weft.toml. */
  readonly client?: readonly string[]
}

/**
 * A client in a network namespace of its own, and in another one a network of a validator, an entry, a relay and an exit with
 * a server beside them; between the two a link that delays and loses (UserSpaceLink). Needs root.
 */
export class DistantNetwork implements AsyncDisposable {
  readonly #options: DistantNetworkOptions
  readonly #stack = new AsyncDisposableStack()
  readonly #directory = mkdtempSync(join(tmpdir(), 'weft-distant-'))
  readonly #prefix = `weftd${process.pid.toString(36)}`

  private constructor(options: DistantNetworkOptions) {
    this.#options = options
  }

  /** Resolves when the client has a route. */
  static async up(options: DistantNetworkOptions): Promise<DistantNetwork> {
    const network = new DistantNetwork(options)
    try {
      await network.#up()
      return network
    } catch (error) {
      await network[Symbol.asyncDispose]()
      throw error
    }
  }

  /** URL of so many bytes at the server. */
  url(bytes: number): string {
    return `http://${TARGET_HOST}:${this.#options.basePort + 9}/${bytes}`
  }

  /** MB/s of one GET by curl where the client is, through the network or straight to the server. */
  async download(how: 'weft' | 'direct', bytes: number): Promise<number> {
    const proxy =
      how === 'direct' ? ['--noproxy', '*'] : ['--proxy', `socks5h://127.0.0.1:${this.#options.basePort + 51}`]
    const words = [
      '-sS',
      '--fail',
      '--max-time',
      '300',
      ...proxy,
      '-o',
      '/dev/null',
      '-w',
      '%{size_download} %{speed_download}',
    ]
    const { stdout } = await run('ip', ['netns', 'exec', this.#namespace('c'), 'curl', ...words, this.url(bytes)])
    const [got, speed] = stdout.split(' ').map(Number)
    if (got !== bytes || speed === undefined) throw new Error(`curl fetched ${got} of ${bytes} bytes`)
    return speed / 1e6
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
    rmSync(this.#directory, { recursive: true, force: true })
  }

  async #up(): Promise<void> {
    const { basePort, link, client = [] } = this.#options
    const [near, far] = [this.#add('c'), this.#add('n')]
    ip('-n', far, 'address', 'add', `${TARGET_HOST}/32`, 'dev', 'lo')
    for (const [at] of NODES.entries()) ip('-n', far, 'address', 'add', `${hostOf(at)}/32`, 'dev', 'lo')
    const ends = [
      { namespace: near, address: '10.60.0.2/24' },
      { namespace: far, address: '10.60.0.1/24' },
    ] as const
    if ('heldAtMbit' in link) holdAt(link.heldAtMbit, ends)
    else this.#stack.use(await UserSpaceLink.open({ ends, profile: link }))
    ip('-n', near, 'route', 'add', 'default', 'via', '10.60.0.1')
    await this.#startTarget(far, basePort + 9)

    const address = `/ip4/${hostOf(0)}/tcp/${basePort}`
    const homes = NODES.map(({ name }, at) => this.#home(name, hostOf(at), basePort + 10 * (at + 1)))
    const [first] = homes as [string]
    await weft(['network', 'create', 'distant', '--address', address, '--map-epoch', '2s', '--home', first])
    const own = this.#home('client', undefined, basePort + 50, client)
    for (const home of [...homes.slice(1), own]) copyFileSync(join(first, 'network.json'), join(home, 'network.json'))
    for (const [at, { roles }] of NODES.entries()) await this.#start(far, homes[at] as string, roles)
    await this.#start(near, own, 'client')
    await this.#routed(own)
  }

  #add(name: string): string {
    const namespace = this.#namespace(name)
    ip('netns', 'add', namespace)
    this.#stack.defer(() => ip('netns', 'delete', namespace))
    ip('-n', namespace, 'link', 'set', 'lo', 'up')
    return namespace
  }

  #namespace(name: string): string {
    return `${this.#prefix}${name}`
  }

  #home(name: string, host: string | undefined, base: number, more: readonly string[] = []): string {
    const home = join(this.#directory, name)
    const exit = name === 'exit' ? ['[exit]', `allow = ["${TARGET_HOST}/32:*"]`] : []
    const publicPort = this.#options.basePort
    makeHome(home, { ...(host !== undefined && { host }), publicPort, base, more: [...exit, ...more] })
    return home
  }

  async #start(namespace: string, home: string, roles: string): Promise<void> {
    await startDaemonIn(namespace, home, roles)
    this.#stack.defer(() =>
      weft(['stop', '--home', home]).then(
        () => {},
        () => {},
      ),
    )
  }

  async #startTarget(namespace: string, port: number): Promise<void> {
    this.#stack.use(await startScriptIn(namespace, [TARGET, TARGET_HOST, String(port)]))
  }

  /** Resolves when the client's proxy has a route. */
  async #routed(home: string): Promise<void> {
    const deadline = performance.now() + ROUTE_MS
    await weft(['vpn', 'up', '--home', home])
    for (;;) {
      const { text } = await weft(['vpn', 'route', '--json', '--home', home])
      if ((JSON.parse(text) as { state: string }).state === 'connected') return
      if (performance.now() > deadline) throw new Error(`the client has no route after ${ROUTE_MS / 1_000} s: ${text}`)
    }
  }
}

/** A wire between two namespaces, whose ends send no faster (tc-tbf(8)). */
function holdAt(mbit: number, [a, b]: readonly [LinkEnd, LinkEnd]): void {
  const name = 'wire'
  ip('-n', a.namespace, 'link', 'add', name, 'type', 'veth', 'peer', 'name', name, 'netns', b.namespace)
  for (const { namespace, address } of [a, b]) {
    ip('-n', namespace, 'address', 'add', address, 'dev', name)
    ip('-n', namespace, 'link', 'set', name, 'up')
    holdLine(namespace, name, mbit)
  }
}

function hostOf(at: number): string {
  return `10.${51 + at}.0.1`
}

function ip(...words: readonly string[]): void {
  execFileSync('ip', words, { stdio: 'pipe' })
}
