import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Random, randomInt, seededRandom } from '@weft/core'
import { Capture } from './capture.ts'
import { NEIGHBOURS } from './kill-switch-network.ts'
import { NOWHERE, SERVER, TunNetwork, hostOf } from './tun-network.ts'
import { weft } from './weft.ts'

/** What is done to the machine, and how often beside the others. Those of the daemon take their time. */
const FAULTS = {
  'kill -9': 3,
  stop: 1,
  start: 4,
  'tunnel up': 3,
  'tunnel up, and open': 3,
  down: 2,
  'interface deleted': 2,
  "tunnel's table deleted": 2,
  'route added': 9,
  'route taken': 6,
  'rule of routing added': 4,
  'rule of routing taken': 4,
  'address added': 4,
  'address taken': 4,
  'link down and up': 6,
  'switch put on again': 9,
  'rules of others added': 5,
  'rules of others taken': 5,
  'names and IPv6 tried': 24,
} as const
export type FaultName = keyof typeof FAULTS

const ROUTES = ['0.0.0.0/1', '128.0.0.0/1', '203.0.113.0/24', `${SERVER}/32`, '192.0.2.53/32', '0.0.0.0/2']
const ROUTES6 = ['2000::/3', '2001:db8:9::/64']
const EXTRA = '10.60.0.77/24'
const OTHERS = `table inet others {
  chain out { type filter hook output priority -400; accept
  }
  chain post { type filter hook postrouting priority 400; accept
  }
  chain turned { type nat hook output priority -101; ip daddr ${SERVER} udp dport 7000 dnat ip to 198.51.100.7
  }
}
`

export interface FaultsDone {
  readonly done: Readonly<Record<string, number>>
  /** What left and may not, each with the fault before it. */
  readonly leaks: readonly string[]
  /** How often a tunnel was open, by its daemon's word. */
  readonly opened: number
  readonly blocked: Readonly<Record<string, { readonly packets: number }>>
}

/** A client with its kill switch, whose daemon, tunnel and network are drawn through faults while programs send all they can. Needs root. */
export class FaultyMachine implements AsyncDisposable {
  readonly #network: TunNetwork
  readonly #basePort: number
  readonly #stack = new AsyncDisposableStack()
  readonly #etc: string
  #traffic!: ChildProcess
  #capture!: Capture
  #fences = 300
  #isRunning = true
  #opened = 0

  private constructor(network: TunNetwork, basePort: number) {
    this.#network = this.#stack.use(network)
    this.#basePort = basePort
    this.#etc = network.home('etc')
  }

  static async up(basePort: number): Promise<FaultyMachine> {
    const network = await TunNetwork.up(basePort, { hasIPv6: true })
    const machine = new FaultyMachine(network, basePort)
    try {
      await machine.#up()
      return machine
    } catch (error) {
      await machine[Symbol.asyncDispose]()
      throw error
    }
  }

  /** weft of the machine's root, who has an /etc of its own. */
  async weft(...words: readonly string[]): ReturnType<TunNetwork['weftThere']> {
    return this.#network.weftThere(words, ...this.#by)
  }

  /** What left since the last look that may not, once all before it was seen. */
  async leaks(): Promise<readonly string[]> {
    const length = 300 + (this.#fences++ % 1_000)
    const end = new RegExp(`\\.68 > ${LAN_ADDRESS}\\.67: .*length ${length}$`)
    this.#traffic.stdin?.write(`${length}\n`)
    await this.#capture.seen(end)
    const lines = this.#capture.lines.splice(0)
    return lines.filter((line) => !FENCE.test(line) && !NEIGHBOURS.test(line))
  }

  /** Draws faults and looks after each whether something left. */
  async play(count: number, seed: number): Promise<FaultsDone> {
    const random = seededRandom(seed)
    const done: Record<string, number> = {}
    const leaks: string[] = []
    for (let at = 0; at < count; at++) {
      const fault = this.#draw(random)
      await this.#do(fault, random)
      done[fault] = (done[fault] ?? 0) + 1
      leaks.push(...(await this.leaks()).map((line) => `${at} ${fault}: ${line}`))
    }
    const { stdout } = await this.weft('vpn', 'killswitch', 'status', '--json')
    const { blocked } = JSON.parse(stdout) as Pick<FaultsDone, 'blocked'>
    return { done, leaks, opened: this.#opened, blocked }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }

  get #by(): readonly string[] {
    return ['sh', '-c', `mount --bind ${this.#etc} /etc && exec "$@"`, 'sh']
  }

  async #up(): Promise<void> {
    execFileSync('cp', ['-a', '/etc', this.#etc])
    writeFileSync(join(this.#etc, 'resolv.conf'), `nameserver ${NOWHERE}\n`)
    const network = this.#network
    await weft(['stop'], network.env)
    await network.startClient(...this.#by)
    await network.exec('n', ['ip', 'address', 'add', '2001:db8:60::1/64', 'dev', 'to-c', 'nodad'])
    await this.#ways()
    const nodes = [0, 1, 2, 3, 4].map((at) => `dst host ${hostOf(at)}`).join(' or ')
    const base = this.#basePort
    const allowed = [
      `(dst host ${hostOf(1)} and (udp or tcp) and dst port ${base + 2})`,
      `((${nodes}) and tcp and (dst port ${base} or dst port ${base + 1}))`,
    ].join(' or ')
    this.#capture = this.#stack.use(
      await Capture.open(network.namespace('n'), 'to-c', `(ip or ip6) and not (${allowed})`),
    )
    const traffic = {
      device: 'to-n',
      lan: LAN_ADDRESS,
      far: SERVER,
      far6: '2001:db8:9::9',
      exit: network.exitOutside,
      name: NOWHERE,
      every: 25,
    }
    this.#traffic = await this.#script('c', 'kill-switch-traffic.program.ts', JSON.stringify(traffic))
    await this.#script('n', 'kill-switch-caller.program.ts', '10.60.0.2')
  }

  async #script(where: 'c' | 'n', name: string, word: string): Promise<ChildProcess> {
    const script = join(import.meta.dirname, name)
    const words = ['netns', 'exec', this.#network.namespace(where), process.execPath, script, word]
    const child = spawn('ip', words, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#stack.defer(async () => {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    })
    await once(createInterface(child.stdout), 'line')
    return child
  }

  #draw(random: Random): FaultName {
    const names = Object.keys(FAULTS) as FaultName[]
    const total = names.reduce((sum, name) => sum + FAULTS[name], 0)
    let left = randomInt(random, total)
    return names.find((name) => (left -= FAULTS[name]) < 0) as FaultName
  }

  async #do(fault: FaultName, random: Random): Promise<void> {
    const network = this.#network
    const pick = (all: readonly string[]): string => all[randomInt(random, all.length)] as string
    switch (fault) {
      case 'kill -9':
        if (this.#isRunning) await network.kill('client')
        this.#isRunning = false
        return
      case 'stop':
        await weft(['stop'], network.env)
        this.#isRunning = false
        return
      case 'start':
        return this.#start()
      case 'tunnel up':
        await this.#start()
        await weft(['vpn', 'up', '--tun'], network.env)
        return
      case 'tunnel up, and open': {
        await this.#start()
        const { code } = await weft(['vpn', 'up', '--tun', '--wait', '--timeout', '8s'], network.env)
        if (code === 0) this.#opened++
        return
      }
      case 'down':
        if (this.#isRunning) await weft(['vpn', 'down'], network.env)
        return
      case 'interface deleted':
        return this.#try('ip', 'link', 'delete', 'weft0')
      case "tunnel's table deleted":
        return this.#try('nft', 'delete', 'table', 'inet', 'weft_tun')
      case 'route added':
        if (randomInt(random, 4) === 0)
          return this.#try('ip', '-6', 'route', 'add', pick(ROUTES6), 'via', '2001:db8:60::1')
        return this.#try('ip', 'route', 'add', pick(ROUTES), 'via', LAN_ADDRESS)
      case 'route taken':
        if (randomInt(random, 4) === 0) return this.#try('ip', '-6', 'route', 'del', pick(ROUTES6))
        return this.#try('ip', 'route', 'del', pick(ROUTES))
      case 'rule of routing added':
        return this.#try('ip', pick(['-4', '-6']), 'rule', 'add', 'priority', '5', 'table', 'main')
      case 'rule of routing taken':
        return this.#try('ip', pick(['-4', '-6']), 'rule', 'del', 'priority', '5')
      case 'address added':
        return this.#try('ip', 'address', 'add', EXTRA, 'dev', 'to-n')
      case 'address taken':
        return this.#try('ip', 'address', 'del', EXTRA, 'dev', 'to-n')
      case 'link down and up':
        await this.#try('ip', 'link', 'set', 'to-n', 'down')
        await this.#try('ip', 'link', 'set', 'to-n', 'up')
        return this.#ways()
      case 'switch put on again': {
        const { code, stderr } = await this.weft('vpn', 'killswitch', 'on')
        if (code !== 0) throw new Error(stderr)
        return
      }
      case 'rules of others added':
        execFileSync('ip', ['netns', 'exec', network.namespace('c'), 'nft', '-f', '-'], { input: OTHERS })
        return
      case 'rules of others taken':
        return this.#try('nft', 'delete', 'table', 'inet', 'others')
      case 'names and IPv6 tried':
        this.#traffic.stdin?.write('burst\n')
    }
  }

  async #start(): Promise<void> {
    if (this.#isRunning) return
    await this.#network.startClient(...this.#by)
    this.#isRunning = true
  }

  /** What the machine's network would set up again when its link comes. */
  async #ways(): Promise<void> {
    await this.#try('ip', 'route', 'add', 'default', 'via', LAN_ADDRESS)
    await this.#try('ip', 'address', 'add', '2001:db8:60::2/64', 'dev', 'to-n', 'nodad')
    await this.#try('ip', '-6', 'route', 'add', 'default', 'via', '2001:db8:60::1')
  }

  /** What is there, or not there, already is as well. */
  async #try(...words: readonly string[]): Promise<void> {
    await this.#network.exec('c', words).catch(() => {})
  }
}

const LAN_ADDRESS = '10.60.0.1'
const FENCE = /\.68 > 10\.60\.0\.1\.67: /
