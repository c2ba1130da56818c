import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeHome, startDaemonIn, startScriptIn } from '../../bench/lib/daemon-in-namespace.ts'
import { Namespaces } from './namespaces.ts'
import { weft, weftJson } from './weft.ts'

/** The people's own machine; the censor's router; all members; a bridge. */
export type Place = 'c' | 'f' | 'n' | 'b'

/** Beside the members, in a range for documentation, which exits take for public. */
const TARGET = '203.0.113.9'
export const BRIDGE = '198.51.100.7'
const ROLES = [
  'validator,storage',
  'entry,storage',
  'entry,storage',
  'relay,storage',
  'relay,storage',
  'exit,storage',
  'exit,storage',
  'storage',
  'storage',
  'storage',
  'storage',
  'storage',
] as const
export const MEMBERS = ROLES.length

/** What the censor counts, each of which it drops. */
const RULES = ['dns', 'udp', 'multistream', 'websocket', 'listed'] as const
export type Rule = (typeof RULES)[number]

/** The first bytes of `\x13/multistream/1.0.0\n`, with which connections of libp2p begin; nftables compares 16 at most. */
const MULTISTREAM = Buffer.from('\x13/multistream/1')

/**
 * A network of twelve members behind the router of a censor, who drops all UDP, port 53, all addresses of members, and what looks like the
 * protocol; a bridge that stands in no list; and machines in the censored network. Needs root.
 */
export class CensoredNetwork implements AsyncDisposable {
  readonly namespaces = new Namespaces<Place>('wz', ['c', 'f', 'n', 'b'])
  readonly #stack = new AsyncDisposableStack()
  readonly #directory = mkdtempSync(join(tmpdir(), 'weft-censor-'))
  readonly #basePort: number

  private constructor(basePort: number) {
    this.#basePort = basePort
    this.#stack.use(this.namespaces)
    this.#stack.defer(() => rmSync(this.#directory, { recursive: true, force: true }))
  }

  /** Members and the bridge run, the censor watches, no client is there. */
  static async up(basePort: number): Promise<CensoredNetwork> {
    const network = new CensoredNetwork(basePort)
    try {
      network.#wireUp()
      await network.#up()
      return network
    } catch (error) {
      await network[Symbol.asyncDispose]()
      throw error
    }
  }

  home(name: string): string {
    return join(this.#directory, name)
  }

  /** A command for the daemon with this home. */
  ask<T>(home: string, words: readonly string[]): Promise<T> {
    return weftJson<T>(words, { WEFT_HOME: this.home(home) })
  }

  /** A command that a person on the censored machine runs, as JSON. */
  async inside<T>(home: string, words: readonly string[]): Promise<T> {
    return JSON.parse(await this.namespaces.exec('c', this.weft(home, words))) as T
  }

  /** The words of such a command. */
  weft(home: string, words: readonly string[]): readonly string[] {
    const program = join(import.meta.dirname, '..', '..', 'dist', 'weft.js')
    return ['env', `WEFT_HOME=${this.home(home)}`, process.execPath, program, ...words, '--json']
  }

  /** Makes the home of a client, with nothing in it but its settings. */
  makeClient(name: string, at: number): void {
    makeHome(this.home(name), { publicPort: this.#basePort, base: this.#clientBase(at) })
  }

  async startClient(name: string): Promise<void> {
    await startDaemonIn(this.namespaces.of('c'), this.home(name), 'client')
    this.#stack.defer(() => weft(['stop', '--home', this.home(name)]).then(() => {}))
  }

  /** Bytes that the censored machine gets from beyond the network by the proxy of its client, as the hexadecimal SHA-256. */
  async browse(at: number, bytes: number): Promise<string> {
    const proxy = `127.0.0.1:${this.#clientBase(at) + 1}`
    const script = `curl -sS --fail --max-time 110 --socks5-hostname ${proxy} http://${TARGET}:8080/${bytes} | sha256sum`
    const sum = await this.namespaces.exec('c', ['sh', '-c', script])
    return sum.split(' ')[0] as string
  }

  /** Packets of the censored machine that the censor dropped, by why. */
  async dropped(): Promise<Record<Rule, number>> {
    const text = await this.namespaces.exec('f', ['nft', 'list', 'counters', 'table', 'inet', 'censor'])
    const count = (rule: Rule): number => Number(new RegExp(`counter of_${rule} {\\s+packets (\\d+)`).exec(text)?.[1])
    return Object.fromEntries(RULES.map((rule) => [rule, count(rule)])) as Record<Rule, number>
  }

  /** Packets that the censored machine sent to the address of the bridge, and to all others. */
  async passed(): Promise<{ readonly bridge: number; readonly others: number }> {
    const text = await this.namespaces.exec('f', ['nft', 'list', 'counters', 'table', 'inet', 'censor'])
    const count = (name: string): number => Number(new RegExp(`counter of_${name} {\\s+packets (\\d+)`).exec(text)?.[1])
    return { bridge: count('bridge'), others: count('others') }
  }

  /** Which of the members this is, by its id. */
  async memberWith(id: string): Promise<number> {
    for (const at of ROLES.keys())
      if ((await this.ask<{ readonly node: string }>(nameOf(at), ['id'])).node === id) return at
    throw new Error(`no member has the id ${id}`)
  }

  /** Has some members deny that they ever had what is stored: they lose all shards and records, and go on. */
  async emptyMembers(ats: readonly number[]): Promise<void> {
    for (const at of ats) {
      await this.ask(nameOf(at), ['stop'])
      rmSync(join(this.home(nameOf(at)), 'storage'), { recursive: true })
      for (const suffix of ['', '-wal', '-shm'])
        rmSync(join(this.home(nameOf(at)), 'overlay', `records.sqlite${suffix}`), { force: true })
      await startDaemonIn(this.namespaces.of('n'), this.home(nameOf(at)), ROLES[at] as string)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }

  #clientBase(at: number): number {
    return this.#basePort + 200 + 10 * at
  }

  #wireUp(): void {
    const { namespaces } = this
    for (const [at, place] of (['c', 'n', 'b'] as const).entries()) {
      namespaces.wire('f', place)
      namespaces.ip('f', 'address', 'add', `10.${80 + at}.0.1/24`, 'dev', `to-${place}`)
      namespaces.ip(place, 'address', 'add', `10.${80 + at}.0.2/24`, 'dev', 'to-f')
      namespaces.ip(place, 'route', 'add', 'default', 'via', `10.${80 + at}.0.1`)
    }
    namespaces.set('f', 'net/ipv4/ip_forward', '1')
    const hosts = [...ROLES.keys().map(hostOf), TARGET]
    for (const host of hosts) {
      namespaces.ip('n', 'address', 'add', `${host}/32`, 'dev', 'lo')
      namespaces.ip('f', 'route', 'add', `${host}/32`, 'via', '10.81.0.2')
    }
    namespaces.ip('b', 'address', 'add', `${BRIDGE}/32`, 'dev', 'lo')
    namespaces.ip('f', 'route', 'add', `${BRIDGE}/32`, 'via', '10.82.0.2')
    namespaces.nft('f', this.#censorship())
  }

  #censorship(): string {
    const counters = [...RULES, 'bridge', 'others'].map((name) => `counter of_${name} { }`).join('\n')
    const listed = ROLES.keys().map(hostOf).toArray().join(', ')
    return `table inet censor {
      ${counters}
      chain forward {
        type filter hook forward priority 0
        iifname != "to-c" accept
        meta l4proto { tcp, udp } th dport 53 counter name of_dns drop
        meta l4proto udp counter name of_udp drop
        meta l4proto tcp @ih,0,${8 * MULTISTREAM.length} 0x${MULTISTREAM.toString('hex')} counter name of_multistream drop
        tcp dport != 80 @ih,0,64 0x${Buffer.from('GET / HT').toString('hex')} counter name of_websocket drop
        ip daddr { ${listed} } counter name of_listed drop
        ip daddr ${BRIDGE} counter name of_bridge accept
        counter name of_others
      }
    }`
  }

  async #up(): Promise<void> {
    const script = `
      require('node:http').createServer((request, response) => response.end(Buffer.alloc(Number(request.url.slice(1)) || 0, 7)))
        .listen(8080, '${TARGET}', () => console.log('up'))`
    this.#stack.use(await startScriptIn(this.namespaces.of('n'), ['-e', script]))
    const publicPort = this.#basePort
    for (const [at, roles] of ROLES.entries()) {
      const more = roles.includes('exit') ? ['[exit]', `allow = ["${TARGET}/32:*"]`] : []
      makeHome(this.home(nameOf(at)), { host: hostOf(at), publicPort, base: this.#basePort + 10 * (at + 1), more })
    }
    const address = `/ip4/${hostOf(0)}/tcp/${publicPort}`
    await this.ask(nameOf(0), ['network', 'create', 'censored', '--address', address, '--map-epoch', '2s'])
    for (const [at, roles] of ROLES.entries()) {
      if (at > 0) copyFileSync(join(this.home(nameOf(0)), 'network.json'), join(this.home(nameOf(at)), 'network.json'))
      await this.#start('n', nameOf(at), roles)
    }
    const more = ['[bridge]', 'enabled = true', `address = "${BRIDGE}"`, 'server_name = "www.example.org"']
    makeHome(this.home('bridge'), { publicPort, base: this.#basePort + 190, more })
    mkdirSync(this.home('bridge'), { recursive: true })
    copyFileSync(join(this.home(nameOf(0)), 'network.json'), join(this.home('bridge'), 'network.json'))
    await this.#start('b', 'bridge', 'client')
  }

  async #start(place: Place, name: string, roles: string): Promise<void> {
    await startDaemonIn(this.namespaces.of(place), this.home(name), roles)
    this.#stack.defer(() => weft(['stop', '--home', this.home(name)]).then(() => {}))
  }
}

function nameOf(at: number): string {
  return `member${at}`
}

/** Each in a /16 of its own, as routes want them. */
function hostOf(at: number): string {
  return `10.${51 + at}.0.1`
}
