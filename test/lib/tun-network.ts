import { execFile, execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { makeHome, startDaemonIn, startScriptIn } from '../../bench/lib/daemon-in-namespace.ts'
import { holdLine } from '../../bench/lib/hold-line.ts'
import { eventually } from './eventually.ts'
import { type Finished, weft, weftJson } from './weft.ts'

const run = promisify(execFile)
const TARGET = join(import.meta.dirname, 'tun-target.ts')
const NODES = [
  { name: 'v', roles: 'validator,storage' },
  { name: 'entry', roles: 'entry' },
  { name: 'relay', roles: 'relay' },
  { name: 'plain', roles: 'exit' },
  { name: 'exit', roles: 'exit' },
] as const
/** In a range for documentation, which exits take for public. */
export const SERVER = '203.0.113.9'
/** Beside the exit, and of nobody's business. */
export const SECRET = '10.99.0.1'
/** Name servers that are nowhere. */
export const NOWHERE = '192.0.2.53'
const NOWHERE6 = '2001:db8:53::53'
const EXIT_OUTSIDE = '203.0.113.1'
export const SERVER6 = '2001:db8:9::9'
export const EXIT_OUTSIDE6 = '2001:db8:9::1'
const LAN = '10.60.0.1'

export interface TunNetworkOptions {
  /** Whether the exit that carries IP packets has IPv6 and forwards it. */
  readonly hasIPv6?: boolean
  /** Whether that exit is the only one. */
  readonly oneExit?: boolean
  /** The client's wire carries no more each way. */
  readonly heldAtMbit?: number
}

interface IpTraffic {
  readonly packets: Record<string, number>
  readonly bytes: { readonly sent: number; readonly received: number }
  readonly superPackets: {
    readonly read: number
    readonly split: number
    readonly written: number
    readonly merged: number
  }
}

interface Fault {
  readonly code: string
  readonly cause: string
  readonly fix: string
}

export interface TunStatus {
  readonly state: string
  readonly proxy?: { readonly port: number }
  readonly tun?: {
    readonly state: string
    readonly ipv6: boolean
    readonly exit?: string
    readonly fault?: Fault
  } & IpTraffic
  readonly failures: readonly (Fault & { readonly count: number })[]
  readonly carried?: { readonly exitIp?: { readonly clients: number } & IpTraffic }
}

/**
 * Five namespaces: a client behind one wire; a validator, an entry, a relay and an exit without IP packets; the exit that carries
 * them; and a server beyond it. Nobody but the exit reaches the server. Needs root.
 */
export class TunNetwork implements AsyncDisposable {
  readonly exitOutside = EXIT_OUTSIDE
  readonly lan = LAN
  readonly #stack = new AsyncDisposableStack()
  readonly #directory = mkdtempSync(join(tmpdir(), 'weft-tun-'))
  readonly #prefix = `wt${process.pid.toString(36)}`
  readonly #basePort: number

  private constructor(basePort: number) {
    this.#basePort = basePort
  }

  static async up(basePort: number, options: TunNetworkOptions = {}): Promise<TunNetwork> {
    const network = new TunNetwork(basePort)
    try {
      await network.#up(options)
      return network
    } catch (error) {
      await network[Symbol.asyncDispose]()
      throw error
    }
  }

  get env(): { readonly WEFT_HOME: string } {
    return { WEFT_HOME: this.home('client') }
  }

  home(name: string): string {
    return join(this.#directory, name)
  }

  namespace(name: 'c' | 'n' | 'x' | 's'): string {
    return `${this.#prefix}${name}`
  }

  /** What a program prints that runs in a namespace. */
  async exec(where: 'c' | 'n' | 'x' | 's', words: readonly string[], timeout = 60_000): Promise<string> {
    const { stdout } = await run('ip', ['netns', 'exec', this.namespace(where), ...words], { timeout })
    return stdout
  }

  /** Loses what matches (nft(8)) on its way into a namespace, and tells nobody. */
  async drop(where: 'c' | 'n' | 'x' | 's', match: string): Promise<void> {
    const rules = `table inet lost { chain in { type filter hook input priority 0; ${match} drop; }; }`
    await this.exec(where, ['nft', rules])
  }

  async dropNothing(where: 'c' | 'n' | 'x' | 's'): Promise<void> {
    await this.exec(where, ['nft', 'delete', 'table', 'inet', 'lost'])
  }

  /** curl of the client's namespace, which knows of no proxy. */
  curl(...words: readonly string[]): Promise<string> {
    return this.exec('c', ['curl', '-sS', '--fail', '--max-time', '30', ...words])
  }

  /** Addresses of a name, as a name server of IPv6 is asked for them in the client's namespace. */
  async namesByIPv6(name: string): Promise<string> {
    const script = `
      const resolver = new (require('node:dns').promises.Resolver)({ timeout: 10_000, tries: 1 })
      resolver.setServers(['${NOWHERE6}'])
      resolver.resolve4('${name}').then((all) => console.log(all.join()))`
    return (await this.exec('c', [process.execPath, '-e', script])).trim()
  }

  /** weft in the client's namespace, as who stands there calls it. @param by words of a program that runs it */
  async weftThere(words: readonly string[], ...by: readonly string[]): Promise<Finished> {
    const weftWords = [...by, process.execPath, join(import.meta.dirname, '..', '..', 'dist', 'weft.js'), ...words]
    try {
      const { stdout, stderr } = await run('ip', ['netns', 'exec', this.namespace('c'), ...weftWords], {
        env: { ...process.env, ...this.env, NODE_TEST_CONTEXT: undefined },
      })
      return { code: 0, stdout, stderr }
    } catch (error) {
      const { code = null, stdout = '', stderr = '' } = error as Partial<Finished>
      return { code, stdout, stderr }
    }
  }

  status(): Promise<TunStatus> {
    return weftJson<TunStatus>(['vpn', 'status'], this.env)
  }

  exitStatus(): Promise<TunStatus> {
    return weftJson<TunStatus>(['vpn', 'status'], { WEFT_HOME: this.home('exit') })
  }

  /** One datagram of the client's namespace and its answer, sent again each second until there is one. */
  async udp(host: string, bytes: Buffer): Promise<Buffer> {
    const script = `
      const socket = require('node:dgram').createSocket('udp4')
      const bytes = Buffer.from('${bytes.toString('hex')}', 'hex')
      const send = () => socket.send(bytes, 7000, '${host}', () => {})
      socket.on('message', (answer) => { process.stdout.write(answer.toString('hex')); process.exit() })
      let left = 20
      send(); setInterval(() => left-- > 0 ? send() : process.exit(3), 1000)`
    return Buffer.from(await this.exec('c', [process.execPath, '-e', script]), 'hex')
  }

  startExit(): Promise<void> {
    return this.#start('x', 'exit', 'exit')
  }

  /** @param by words of a program that runs it */
  startClient(...by: readonly string[]): Promise<void> {
    return this.#start('c', 'client', 'client', by)
  }

  /** Another daemon where the client is. @param by as there */
  startOther(name: string, ...by: readonly string[]): Promise<void> {
    return this.#start('c', name, 'client', by)
  }

  /** Settings of the client from its next start on. */
  setClient(...lines: readonly string[]): void {
    this.#home('client', undefined, this.#basePort + 60, lines)
  }

  /** SIGKILL, as the system would when memory is short. */
  async kill(name: 'client' | 'exit'): Promise<void> {
    const { pid } = JSON.parse(readFileSync(join(this.home(name), 'daemon.json'), 'utf8')) as { pid: number }
    process.kill(pid, 'SIGKILL')
    await eventually(
      'the end of the daemon',
      () => Promise.resolve(isRunning(pid)),
      (runs) => !runs,
    )
    // The system takes it away a moment after; what is begun until then may have its address.
    if (name === 'client')
      await eventually(
        'the end of the interface',
        () => this.exec('c', ['ip', '-br', 'link', 'show', 'type', 'tun']),
        (links) => links.trim() === '',
      )
  }

  /** Rules and interfaces of the client's machine that a tunnel makes. */
  async rules(): Promise<{ readonly tables: string; readonly rules: string; readonly links: string }> {
    const [tables, rules4, rules6, links] = await Promise.all([
      this.exec('c', ['nft', 'list', 'tables']),
      this.exec('c', ['ip', 'rule']),
      this.exec('c', ['ip', '-6', 'rule']),
      this.exec('c', ['ip', '-br', 'link']),
    ])
    return { tables, rules: rules4 + rules6, links }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
    rmSync(this.#directory, { recursive: true, force: true })
  }

  async #up({ hasIPv6 = false, oneExit = false, heldAtMbit }: TunNetworkOptions): Promise<void> {
    const base = this.#basePort
    for (const name of ['c', 'n', 'x', 's'] as const) this.#add(name)
    this.#wire('c', '10.60.0.2/24', 'n', `${LAN}/24`)
    if (heldAtMbit !== undefined) {
      holdLine(this.namespace('c'), 'to-n', heldAtMbit)
      holdLine(this.namespace('n'), 'to-c', heldAtMbit)
    }
    this.#wire('n', '10.61.0.1/24', 'x', '10.61.0.2/24')
    this.#wire('x', `${EXIT_OUTSIDE}/24`, 's', `${SERVER}/24`)
    this.#ip('c', 'route', 'add', 'default', 'via', LAN)
    this.#ip('x', 'route', 'add', '10.0.0.0/8', 'via', '10.61.0.1')
    this.#ip('x', 'route', 'add', `${SECRET}/32`, 'via', SERVER)
    this.#ip('x', 'route', 'add', 'default', 'via', SERVER)
    this.#ip('s', 'address', 'add', `${SECRET}/32`, 'dev', 'lo')
    this.#ip('n', 'route', 'add', '10.55.0.1/32', 'via', '10.61.0.2')
    execFileSync('ip', ['netns', 'exec', this.namespace('n'), 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward'])
    for (const [at] of NODES.entries())
      this.#ip(at === 4 ? 'x' : 'n', 'address', 'add', `${hostOf(at)}/32`, 'dev', 'lo')
    // Strict, as some systems have it: what comes in must come from where an answer would go.
    const strict = 'echo 1 > /proc/sys/net/ipv4/conf/all/rp_filter'
    execFileSync('ip', ['netns', 'exec', this.namespace('c'), 'sh', '-c', strict])
    mkdirSync(join('/etc/netns', this.namespace('c')), { recursive: true })
    this.#stack.defer(() => rmSync(join('/etc/netns', this.namespace('c')), { recursive: true, force: true }))
    writeFileSync(join('/etc/netns', this.namespace('c'), 'resolv.conf'), `nameserver ${NOWHERE}\n`)
    if (hasIPv6) this.#addIPv6()
    await this.#startTarget(hasIPv6)

    const address = `/ip4/${hostOf(0)}/tcp/${base}`
    for (const [at, { name }] of NODES.entries()) this.#home(name, hostOf(at), base + 10 * (at + 1))
    await weftJson([
      'network',
      'create',
      'tunnels',
      '--address',
      address,
      '--map-epoch',
      '2s',
      '--home',
      this.home('v'),
    ])
    this.#home('client', undefined, base + 60)
    for (const name of [...NODES.slice(1).map((node) => node.name), 'client'])
      copyFileSync(join(this.home('v'), 'network.json'), join(this.home(name), 'network.json'))
    for (const [at, { name, roles }] of NODES.entries())
      if (!oneExit || name !== 'plain') await this.#start(at === 4 ? 'x' : 'n', name, roles)
    await this.startClient()
  }

  #add(name: 'c' | 'n' | 'x' | 's'): void {
    const namespace = this.namespace(name)
    execFileSync('ip', ['netns', 'add', namespace], { stdio: 'pipe' })
    this.#stack.defer(() => void execFileSync('ip', ['netns', 'delete', namespace], { stdio: 'pipe' }))
    this.#ip(name, 'link', 'set', 'lo', 'up')
  }

  #wire(a: 'c' | 'n' | 'x' | 's', addressA: string, b: 'c' | 'n' | 'x' | 's', addressB: string): void {
    const peer = ['peer', 'name', `to-${a}`, 'netns', this.namespace(b)]
    this.#ip(a, 'link', 'add', `to-${b}`, 'type', 'veth', ...peer)
    this.#ip(a, 'address', 'add', addressA, 'dev', `to-${b}`)
    this.#ip(b, 'address', 'add', addressB, 'dev', `to-${a}`)
    this.#ip(a, 'link', 'set', `to-${b}`, 'up')
    this.#ip(b, 'link', 'set', `to-${a}`, 'up')
  }

  #ip(where: 'c' | 'n' | 'x' | 's', ...words: readonly string[]): void {
    execFileSync('ip', ['-n', this.namespace(where), ...words], { stdio: 'pipe' })
  }

  #home(name: string, host: string | undefined, base: number, more: readonly string[] = []): void {
    const exit = ['[exit]', `name_servers = ["${SERVER}"]`, ...(name === 'exit' ? ['ip = "on"'] : [])]
    makeHome(this.home(name), {
      ...(host !== undefined && { host }),
      publicPort: this.#basePort,
      base,
      more: [...exit, ...more],
    })
  }

  async #start(where: 'c' | 'n' | 'x', name: string, roles: string, by: readonly string[] = []): Promise<void> {
    const home = this.home(name)
    await startDaemonIn(this.namespace(where), home, roles, by)
    this.#stack.defer(() => weft(['stop', '--home', home]).then(() => {}))
  }

  #addIPv6(): void {
    const forward = 'echo 1 > /proc/sys/net/ipv6/conf/all/forwarding'
    execFileSync('ip', ['netns', 'exec', this.namespace('x'), 'sh', '-c', forward])
    this.#ip('x', 'address', 'add', `${EXIT_OUTSIDE6}/64`, 'dev', 'to-s', 'nodad')
    this.#ip('s', 'address', 'add', `${SERVER6}/64`, 'dev', 'to-x', 'nodad')
  }

  async #startTarget(hasIPv6: boolean): Promise<void> {
    const words = [TARGET, SERVER, SECRET, ...(hasIPv6 ? [SERVER6] : [])]
    this.#stack.use(await startScriptIn(this.namespace('s'), words))
  }
}

export function hostOf(at: number): string {
  return `10.${51 + at}.0.1`
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
