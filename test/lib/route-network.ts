import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startDaemonIn, startScriptIn } from '../../bench/lib/daemon-in-namespace.ts'
import { UserSpaceLink } from '../../packages/devnet/src/user-space-link/user-space-link.ts'
import { Namespaces } from './namespaces.ts'
import { weft, weftJson } from './weft.ts'

export type Place = 'c' | 'e' | 'r' | 'x'

/** Beside the exit, in a range for documentation, which exits take for public. */
const TARGET = '203.0.113.9'
const NODES = [
  { name: 'v', place: 'e', roles: 'validator,storage' },
  { name: 'entry', place: 'e', roles: 'entry' },
  { name: 'relay', place: 'r', roles: 'relay' },
  { name: 'exit', place: 'x', roles: 'exit' },
] as const
type NodeName = (typeof NODES)[number]['name']

export interface RouteVpnStatus {
  readonly state: string
  readonly carriage: { readonly over: string; readonly setting: string; readonly reason: string }
  readonly route: { readonly legs: readonly { readonly state: string; readonly carriage: string }[] }
  readonly carried?: { readonly inTls: number; readonly packetsDropped: Readonly<Record<string, number>> }
}

/** Of `ip -s -j link`. */
interface InterfaceFigures {
  readonly stats64: Readonly<Record<'rx' | 'tx', { readonly dropped: number }>>
}

/**
 * Four machines in a row, each a namespace: the client; the entry and a validator; the relay; the exit and a web server. There is one
 * route. Needs root.
 */
export class RouteNetwork implements AsyncDisposable {
  readonly namespaces = new Namespaces<Place>('wr', ['c', 'e', 'r', 'x'])
  readonly #stack = new AsyncDisposableStack()
  readonly #directory = mkdtempSync(join(tmpdir(), 'weft-route-'))
  readonly #basePort: number
  readonly #hasIPv6: boolean

  private constructor(basePort: number, hasIPv6: boolean) {
    this.#basePort = basePort
    this.#hasIPv6 = hasIPv6
    this.#stack.use(this.namespaces)
    this.#stack.defer(() => rmSync(this.#directory, { recursive: true, force: true }))
  }

  /**
   * The nodes run, the client does not.
   * @param entryPort where the entry takes packets
   * @param before what is done to the wires before that
   * @param hasIPv6 whether the client has IPv6 and no IPv4, and all others both
   */
  static async up(
    basePort: number,
    entryPort = basePort + 2,
    before: (network: RouteNetwork) => void = () => {},
    hasIPv6 = false,
  ): Promise<RouteNetwork> {
    const network = new RouteNetwork(basePort, hasIPv6)
    try {
      network.#wireUp()
      before(network)
      await network.#up(entryPort)
      return network
    } catch (error) {
      await network[Symbol.asyncDispose]()
      throw error
    }
  }

  home(name: NodeName | 'client'): string {
    return join(this.#directory, name)
  }

  /**
   * Loses each UDP datagram between two machines that is longer than 1,280 bytes with its headers, and tells nobody: as where ICMP is
   * filtered. Others would be cut to that by a device on the way before, so that none comes as a part of a larger one.
   */
  loseLarge(a: Place, b: Place): void {
    for (const [here, there] of [
      [a, b],
      [b, a],
    ] as const) {
      this.namespaces.ip(here, 'link', 'set', `to-${there}`, 'gso_max_segs', '1')
      this.namespaces.nft(
        here,
        `table inet narrow {
          chain in {
            type filter hook prerouting priority -400
            iifname "to-${there}" meta l4proto udp meta length > 1280 counter drop
          }
        }`,
      )
    }
  }

  /** Gives the wire between two machines an MTU of 1,280, which both know. */
  narrow(a: Place, b: Place): void {
    this.namespaces.ip(a, 'link', 'set', `to-${b}`, 'mtu', '1280')
    this.namespaces.ip(b, 'link', 'set', `to-${a}`, 'mtu', '1280')
  }

  /** Datagrams that were lost because they were too large. */
  async lostAsTooLarge(place: Place): Promise<number> {
    const text = await this.namespaces.exec(place, ['nft', 'list', 'table', 'inet', 'narrow'])
    return Number(/counter packets (\d+)/.exec(text)?.[1])
  }

  /** Puts a link that can lose and delay in the place of the wire between the entry and the relay. What is under way there is lost. */
  async linkToRelay(): Promise<UserSpaceLink> {
    const { namespaces } = this
    namespaces.ip('e', 'link', 'delete', 'to-r')
    const ends = (['e', 'r'] as const).map((place, at) => ({
      namespace: namespaces.of(place),
      address: `10.61.0.${at + 1}/24`,
    }))
    const link = await UserSpaceLink.open({ ends, profile: { delayMs: 0, loss: 0 } })
    this.#stack.use(link)
    namespaces.ip('e', 'route', 'add', 'default', 'via', '10.61.0.2')
    for (const behind of ['10.60.0.0/24', `${hostOf(0)}/32`, `${hostOf(1)}/32`])
      namespaces.ip('r', 'route', 'add', behind, 'via', '10.61.0.1')
    return link
  }

  /**
   * Packets that the machine itself lost between the entry and the relay until now: for want of room before the link, and
   * before a socket whose process had to wait.
   */
  async lostByMachine(): Promise<number> {
    let lost = 0
    for (const place of ['e', 'r'] as const) {
      const links = await this.namespaces.exec(place, ['ip', '-s', '-j', 'link'])
      for (const { stats64 } of JSON.parse(links) as readonly InterfaceFigures[])
        lost += stats64.tx.dropped + stats64.rx.dropped
      const [names = '', values = ''] = (await this.namespaces.exec(place, ['grep', '^Udp:', '/proc/net/snmp'])).split(
        '\n',
      )
      lost += Number(values.split(' ')[names.split(' ').indexOf('RcvbufErrors')])
    }
    return lost
  }

  status(name: NodeName | 'client' = 'client'): Promise<RouteVpnStatus> {
    return weftJson<RouteVpnStatus>(['vpn', 'status'], { WEFT_HOME: this.home(name) })
  }

  async startClient(): Promise<void> {
    this.#writeHome('client', undefined, this.#basePort + 60)
    await this.#start('c', 'client', 'client')
  }

  stopClient(): Promise<unknown> {
    return weft(['stop', '--home', this.home('client')])
  }

  async connect(): Promise<void> {
    await weftJson(['vpn', 'up', '--wait', '--timeout', '60s'], { WEFT_HOME: this.home('client') })
  }

  /** Bytes that the client's namespace gets through the proxy, as the hexadecimal SHA-256. @param bytesPerSecond at most; 0: as fast as they come */
  async download(bytes: number, bytesPerSecond = 0): Promise<string> {
    const proxy = `127.0.0.1:${this.#basePort + 61}`
    const url = `http://${TARGET}:8080/${bytes}`
    const script = `curl -sS --fail --max-time 110 --limit-rate ${bytesPerSecond} --socks5-hostname ${proxy} ${url} | sha256sum`
    const sum = await this.namespaces.exec('c', ['sh', '-c', script])
    return sum.split(' ')[0] as string
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }

  async #up(entryPort: number): Promise<void> {
    await this.#startTarget()
    for (const [at, { name }] of NODES.entries())
      this.#writeHome(name, hostOf(at), this.#basePort + 10 * (at + 1), [
        ...(name === 'entry' ? [`packets = ${entryPort}`] : []),
        ...(name === 'exit' ? ['[exit]', `allow = ["${TARGET}/32:*"]`] : []),
      ])
    const address = this.#addressesOf('v', hostOf(0)).join(',')
    const create = ['network', 'create', 'routes', '--address', address, '--map-epoch', '2s', '--home', this.home('v')]
    await weftJson(create)
    mkdirSync(this.home('client'), { mode: 0o700 })
    for (const name of ['entry', 'relay', 'exit', 'client'] as const)
      copyFileSync(join(this.home('v'), 'network.json'), join(this.home(name), 'network.json'))
    for (const { name, place, roles } of NODES) await this.#start(place, name, roles)
  }

  #wireUp(): void {
    const { namespaces } = this
    const row = ['c', 'e', 'r', 'x'] as const
    for (const [at, b] of row.slice(1).entries()) {
      const a = row[at] as Place
      namespaces.wire(a, b)
      namespaces.ip(a, 'address', 'add', `10.${60 + at}.0.1/24`, 'dev', `to-${b}`)
      namespaces.ip(b, 'address', 'add', `10.${60 + at}.0.2/24`, 'dev', `to-${a}`)
      // What lies towards the client goes that way, all else on.
      namespaces.ip(a, 'route', 'add', 'default', 'via', `10.${60 + at}.0.2`)
      for (let behind = 0; behind < at; behind++)
        namespaces.ip(b, 'route', 'add', `10.${60 + behind}.0.0/24`, 'via', `10.${60 + at}.0.1`)
    }
    if (this.#hasIPv6) this.#wireIPv6()
    for (const place of ['e', 'r'] as const) namespaces.set(place, 'net/ipv4/ip_forward', '1')
    for (const [at, { place }] of NODES.entries())
      namespaces.ip(place, 'address', 'add', `${hostOf(at)}/32`, 'dev', 'lo')
    for (const [place, ats, via] of [
      ['r', [0, 1], '10.61.0.1'],
      ['x', [0, 1, 2], '10.62.0.1'],
    ] as const)
      for (const at of ats) namespaces.ip(place, 'route', 'add', `${hostOf(at)}/32`, 'via', via)
    namespaces.ip('x', 'address', 'add', `${TARGET}/32`, 'dev', 'lo')
  }

  /** The same once more by IPv6; and the client has no IPv4 any more. */
  #wireIPv6(): void {
    const { namespaces } = this
    const row = ['c', 'e', 'r', 'x'] as const
    namespaces.ip('c', 'address', 'flush', 'dev', 'to-e')
    for (const place of row) namespaces.set(place, 'net/ipv6/conf/all/forwarding', '1')
    for (const [at, b] of row.slice(1).entries()) {
      const a = row[at] as Place
      namespaces.ip(a, 'address', 'add', `fd00:${60 + at}::1/64`, 'dev', `to-${b}`, 'nodad')
      namespaces.ip(b, 'address', 'add', `fd00:${60 + at}::2/64`, 'dev', `to-${a}`, 'nodad')
      namespaces.ip(a, 'route', 'add', 'default', 'via', `fd00:${60 + at}::2`)
      for (let behind = 0; behind < at; behind++)
        namespaces.ip(b, 'route', 'add', `fd00:${60 + behind}::/64`, 'via', `fd00:${60 + at}::1`)
    }
    for (const [at, { place }] of NODES.entries())
      namespaces.ip(place, 'address', 'add', `${sixOf(hostOf(at))}/128`, 'dev', 'lo', 'nodad')
    for (const [place, ats, via] of [
      ['r', [0, 1], 'fd00:61::1'],
      ['x', [0, 1, 2], 'fd00:62::1'],
    ] as const)
      for (const at of ats) namespaces.ip(place, 'route', 'add', `${sixOf(hostOf(at))}/128`, 'via', via)
  }

  async #startTarget(): Promise<void> {
    const script = `
      require('node:http').createServer((request, response) => response.end(Buffer.alloc(Number(request.url.slice(1)) || 0, 7)))
        .listen(8080, '${TARGET}', () => console.log('up'))`
    this.#stack.use(await startScriptIn(this.namespaces.of('x'), ['-e', script]))
  }

  #writeHome(name: NodeName | 'client', host: string | undefined, base: number, more: readonly string[] = []): void {
    mkdirSync(this.home(name), { mode: 0o700, recursive: true })
    const place =
      host === undefined
        ? []
        : [
            '[network]',
            // Who is reached by both listens on all addresses, unless it is told otherwise.
            ...(this.#hasIPv6 ? [] : [`listen_host = "${host}"`]),
            `announce = ${JSON.stringify(this.#addressesOf(name, host))}`,
          ]
    const ports = ['[ports]', `base = ${base}`, ...(host === undefined ? [] : [`public = ${this.#publicOf(name)}`])]
    const text = [...place, '[storage]', 'reserve = 0', ...ports, ...more, ''].join('\n')
    writeFileSync(join(this.home(name), 'weft.toml'), text)
  }

  /** The validator and the entry share a machine: with two families each has ports of its own there, as they listen on all addresses. */
  #publicOf(name: NodeName | 'client'): number {
    return this.#hasIPv6 && name === 'v' ? this.#basePort + 90 : this.#basePort
  }

  #addressesOf(name: NodeName | 'client', host: string): string[] {
    const port = this.#publicOf(name)
    const four = `/ip4/${host}/tcp/${port}`
    return this.#hasIPv6 ? [four, `/ip6/${sixOf(host)}/tcp/${port}`] : [four]
  }

  async #start(place: Place, name: string, roles: string): Promise<void> {
    const home = join(this.#directory, name)
    await startDaemonIn(this.namespaces.of(place), home, roles)
    this.#stack.defer(() => weft(['stop', '--home', home]).then(() => {}))
  }
}

/** Each in a /16 of its own, as routes want them. */
function hostOf(at: number): string {
  return `10.${51 + at}.0.1`
}

/** The IPv6 address of a host that has both. */
function sixOf(host: string): string {
  return `fd00:${host.split('.')[1]}::1`
}
