import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { KillSwitchOrder, KillSwitchStatus } from '../../packages/vpn/src/kill-switch/kill-switch.ts'
import { Capture } from './capture.ts'
import { Namespaces } from './namespaces.ts'

export const FAR = '203.0.113.9'
export const LAN = '10.60.0.1'
const CLIENT = '10.60.0.2'
const LIBRARY = import.meta.dirname
const CONTAINER = '10.70.0.2'

/** What {@link file://./kill-switch-traffic.program.ts} sends, as it is seen from outside, and whether it stays on the LAN. */
export const KINDS: Readonly<Record<string, { readonly line: RegExp; readonly reach: 'far' | 'lan' | 'names' }>> = {
  udp: { line: />\s203\.0\.113\.9\.7000:/, reach: 'far' },
  exit: { line: />\s203\.0\.113\.1\.7001:/, reach: 'far' },
  bound: { line: />\s203\.0\.113\.9\.7005:/, reach: 'far' },
  tcp: { line: />\s203\.0\.113\.9\.8080: Flags/, reach: 'far' },
  icmp: { line: />\s203\.0\.113\.9: ICMP echo request/, reach: 'far' },
  'another protocol': { line: />\s203\.0\.113\.9:\s+ip-proto-253/, reach: 'far' },
  udp6: { line: />\s2001:db8:9::9\.7003:/, reach: 'far' },
  tcp6: { line: />\s2001:db8:9::9\.8080: Flags/, reach: 'far' },
  icmp6: { line: />\s2001:db8:9::9: ICMP6, echo request/, reach: 'far' },
  forwarded: { line: /10\.70\.0\.2\.\d+ > 203\.0\.113\.9\.7000:/, reach: 'far' },
  'forwarded tcp': { line: /10\.70\.0\.2\.\d+ > 203\.0\.113\.9\.8080: Flags/, reach: 'far' },
  'forwarded icmp': { line: /10\.70\.0\.2 > 203\.0\.113\.9: ICMP echo request/, reach: 'far' },
  names: { line: />\s192\.0\.2\.53\.53:/, reach: 'names' },
  'names by IPv6': { line: />\s2001:db8:9::9\.53:/, reach: 'names' },
  'names of the LAN': { line: /10\.60\.0\.2\.\d+ > 10\.60\.0\.1\.53: (?!Flags)/, reach: 'names' },
  'names by TCP': { line: /10\.60\.0\.2\.\d+ > 10\.60\.0\.1\.53: Flags/, reach: 'names' },
  'forwarded names': { line: /10\.70\.0\.2\.\d+ > 10\.60\.0\.1\.53: (?!Flags)/, reach: 'names' },
  'LAN by UDP': { line: /10\.60\.0\.2\.\d+ > 10\.60\.0\.1\.7002:/, reach: 'lan' },
  'LAN by TCP': { line: /10\.60\.0\.2\.\d+ > 10\.60\.0\.1\.9: Flags/, reach: 'lan' },
  'LAN by ICMP': { line: /10\.60\.0\.2 > 10\.60\.0\.1: ICMP echo request/, reach: 'lan' },
  'LAN by IPv6': { line: />\sfd00:60::1\.7004:/, reach: 'lan' },
  'forwarded to the LAN': { line: /10\.70\.0\.2\.\d+ > 10\.60\.0\.1\.7002:/, reach: 'lan' },
  discovery: { line: />\s224\.0\.0\.251\.5353:/, reach: 'lan' },
  'a connection that stands': { line: /10\.60\.0\.2\.\d+ > 10\.60\.0\.1\.7100: Flags/, reach: 'lan' },
  'answers by TCP': { line: /10\.60\.0\.2\.9090 > 10\.60\.0\.1\.\d+: Flags/, reach: 'lan' },
  'answers by UDP': { line: /10\.60\.0\.2\.9090 > 10\.60\.0\.1\.\d+: UDP/, reach: 'lan' },
}

/** What may leave whatever is sent: what neighbours need to find each other. */
export const NEIGHBOURS =
  /ICMP6, (neighbor|router) solicitation|ICMP6, neighbor advertisement|multicast listener report/

/**
 * A machine, a container behind it, and the wire's other end, where every packet is seen that leaves the machine. Both send all that they can
 * (`kill-switch-traffic.program.ts`); the other end calls the machine as well. Needs root.
 */
export class KillSwitchNetwork implements AsyncDisposable {
  readonly namespaces: Namespaces<'c' | 'n' | 'k'>
  capture!: Capture
  readonly #directory = mkdtempSync(join(tmpdir(), 'weft-switch-'))
  readonly #stack = new AsyncDisposableStack()
  #traffic!: ChildProcess
  #fences = 300

  private constructor() {
    this.namespaces = this.#stack.use(new Namespaces('wk', ['c', 'n', 'k']))
    this.#stack.defer(() => rmSync(this.#directory, { recursive: true, force: true }))
  }

  static async up(): Promise<KillSwitchNetwork> {
    const network = new KillSwitchNetwork()
    try {
      await network.#up()
      return network
    } catch (error) {
      await network[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Where the switch keeps its files. */
  get directory(): string {
    return this.#directory
  }

  /** Of the switch, from a process of its own that ends with its answer. */
  async call(action: 'on' | 'off' | 'status', order: Partial<KillSwitchOrder> = {}): Promise<KillSwitchStatus> {
    const all = { allowLan: false, home: '/nowhere', uid: 0, nodes: [], ...order }
    const words = [
      process.execPath,
      join(LIBRARY, 'kill-switch-call.program.ts'),
      this.#directory,
      action,
      JSON.stringify(all),
    ]
    return JSON.parse(await this.namespaces.exec('c', words)) as KillSwitchStatus
  }

  /** Joins the machine to the wire's other end, and gives both their addresses. */
  async wire(): Promise<void> {
    const { namespaces } = this
    namespaces.wire('c', 'n')
    for (const [where, device, last] of [
      ['n', 'to-c', '1'],
      ['c', 'to-n', '2'],
    ] as const) {
      namespaces.ip(where, 'address', 'add', `10.60.0.${last}/24`, 'dev', device)
      for (const prefix of ['fd00:60::', '2001:db8:60::'])
        namespaces.ip(where, 'address', 'add', `${prefix}${last}/64`, 'dev', device, 'nodad')
    }
    namespaces.ip('c', 'route', 'add', 'default', 'via', LAN)
    namespaces.ip('c', '-6', 'route', 'add', 'default', 'via', '2001:db8:60::1')
    namespaces.ip('n', 'route', 'add', '10.70.0.0/24', 'via', CLIENT)
    this.capture = this.#stack.use(await Capture.open(namespaces.of('n'), 'to-c', 'ip or ip6'))
  }

  /** All that left since the last look, once all before it was seen: kinds, and what is none and has no place there. */
  async left(): Promise<{ readonly kinds: readonly string[]; readonly others: readonly string[] }> {
    const length = this.#fences++
    this.#traffic.stdin?.write(`${length}\n`)
    const end = new RegExp(`\\.68 > 10\\.60\\.0\\.1\\.67: .*length ${length}$`)
    await this.capture.seen(end)
    const at = this.capture.lines.findIndex((line) => end.test(line))
    const lines = this.capture.lines.splice(0, at + 1).slice(0, -1)
    const kinds = Object.entries(KINDS).flatMap(([kind, { line }]) =>
      lines.some((seen) => line.test(seen)) ? kind : [],
    )
    const others = lines.filter((seen) => !Object.values(KINDS).some(({ line }) => line.test(seen)))
    return { kinds, others: others.filter((seen) => !NEIGHBOURS.test(seen)) }
  }

  /** Sockets that are bound to an interface that went do not come back with another of its name. */
  async restartTraffic(): Promise<void> {
    this.#traffic.kill('SIGKILL')
    await once(this.#traffic, 'exit')
    this.#traffic = await this.#start('c', ['kill-switch-traffic.program.ts', this.#trafficOf('to-n')])
  }

  /** What the switch counted as blocked, of all reasons. */
  async blocked(): Promise<number> {
    const { blocked } = await this.call('status')
    return Object.values(blocked).reduce((sum, { packets }) => sum + packets, 0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }

  async #up(): Promise<void> {
    const { namespaces } = this
    mkdirSync(join(this.#directory, 'units'))
    mkdirSync(join(this.#directory, 'systemd'))
    await this.wire()
    namespaces.wire('c', 'k')
    namespaces.ip('c', 'address', 'add', '10.70.0.1/24', 'dev', 'to-k')
    namespaces.ip('k', 'address', 'add', `${CONTAINER}/24`, 'dev', 'to-c')
    namespaces.ip('k', 'route', 'add', 'default', 'via', '10.70.0.1')
    namespaces.set('c', 'net/ipv4/ip_forward', '1')
    await this.#start('n', ['kill-switch-caller.program.ts', CLIENT])
    this.#traffic = await this.#start('c', ['kill-switch-traffic.program.ts', this.#trafficOf('to-n')])
    await this.#start('k', ['kill-switch-traffic.program.ts', this.#trafficOf('to-c')])
  }

  #trafficOf(device: string): string {
    return JSON.stringify({
      device,
      lan: LAN,
      far: FAR,
      far6: '2001:db8:9::9',
      exit: '203.0.113.1',
      name: '192.0.2.53',
      every: 10,
    })
  }

  async #start(where: 'c' | 'n' | 'k', [script = '', ...words]: readonly string[]): Promise<ChildProcess> {
    const all = ['netns', 'exec', this.namespaces.of(where), process.execPath, join(LIBRARY, script), ...words]
    const child = spawn('ip', all, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#stack.defer(async () => {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    })
    const lines = createInterface(child.stdout)
    await once(lines, 'line')
    return child
  }
}
