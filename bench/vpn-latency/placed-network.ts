import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { UserSpaceLink } from '../../packages/devnet/src/user-space-link/user-space-link.ts'
import type { EngineInit } from '../../packages/vpn/src/engine/engine-init.ts'
import type { ProfileTier } from '../../packages/vpn/src/profile/profile.ts'
import { DEFAULT_ROUTE_PROFILE } from '../../packages/vpn/src/profile/route-profile.ts'
import type { RouteMember } from '../../packages/vpn/src/route/route-member.ts'
import { AskedProcess } from '../lib/asked-process.ts'
import { startScriptIn } from '../lib/daemon-in-namespace.ts'
import { newEngineClient, newEngineNode } from '../vpn-many/engine-node.ts'
import { EngineProcess } from '../vpn-many/engine-process.ts'
import type { CallerAnswer, CallerRequest } from './caller.program.ts'
import { CLIENT, FIRST_NODE, type Places, SERVER } from './places.ts'

const CALLER = join(import.meta.dirname, 'caller.program.ts')
const ECHO = join(import.meta.dirname, 'echo.program.ts')
const ECHO_PORT = 46_000
const PACKET_PORT = 45_000
const PINGS = 3
const ROLES = ['entry', 'relay', 'exit'] as const
/** As the map would have them. */
const REGIONS = [
  { region: 'eu', country: 'DE' },
  { region: 'na', country: 'US' },
]
const SETTINGS = { networkId: 'bench-latency', allow: [`${hostOf(SERVER)}/32:*`] }

type Answer<Kind extends CallerAnswer['kind']> = Extract<CallerAnswer, { kind: Kind }>

interface Node {
  readonly process: EngineProcess
  readonly init: EngineInit
  readonly member: RouteMember
}

/**
 * A client, a server and nodes that are entry, relay and exit at once, each in a network namespace and a process of its own, and between
 * each two of them a link as late as their places have it (UserSpaceLink). Needs root.
 */
export class PlacedNetwork implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack()
  readonly #namespaces: readonly string[]
  readonly #nodes: Node[] = []
  readonly #client: EngineProcess
  readonly #caller: AskedProcess<CallerRequest, CallerAnswer>
  #link: UserSpaceLink | undefined
  #regions: readonly number[] = []

  static async up(nodes: number): Promise<PlacedNetwork> {
    const network = new PlacedNetwork(nodes)
    try {
      network.#stack.use(await startScriptIn(network.#namespace(SERVER), [ECHO, String(ECHO_PORT)]))
      return network
    } catch (error) {
      await network[Symbol.asyncDispose]()
      throw error
    }
  }

  private constructor(nodes: number) {
    const stack = this.#stack
    this.#namespaces = Array.from({ length: FIRST_NODE + nodes }, (_, at) => {
      const namespace = `weftlat${process.pid.toString(36)}p${at}`
      ip('netns', 'add', namespace)
      stack.defer(() => ip('netns', 'delete', namespace))
      ip('-n', namespace, 'link', 'set', 'lo', 'up')
      return namespace
    })
    stack.defer(() => this.#link?.[Symbol.asyncDispose]())
    this.#client = stack.use(new EngineProcess(this.#namespace(CLIENT)))
    this.#caller = stack.use(new AskedProcess(CALLER, this.#namespace(CLIENT)))
    for (let at = 0; at < nodes; at++) {
      const endpoint = { address: hostOf(FIRST_NODE + at), port: PACKET_PORT }
      const { init, member } = newEngineNode(at, { ...SETTINGS, udp: { host: endpoint.address, port: endpoint.port } })
      const process = stack.use(new EngineProcess(this.#namespace(FIRST_NODE + at)))
      this.#nodes.push({ process, init, member: { ...member, endpoint } })
    }
  }

  /** Who can be in a route. */
  get members(): readonly RouteMember[] {
    return this.#nodes.map(({ member }, at) => ({ ...member, ...REGIONS[this.#regions[FIRST_NODE + at] ?? 0] }))
  }

  /** The place of a member. */
  placeOf({ id }: RouteMember): number {
    return FIRST_NODE + this.#nodes.findIndex(({ member }) => member.id === id)
  }

  /** Puts everybody where they are from now on, with no links between nodes. */
  async place({ delays, regions }: Places): Promise<void> {
    this.#regions = regions
    await this.#link?.[Symbol.asyncDispose]()
    const ends = this.#namespaces.map((namespace, at) => ({ namespace, address: `${hostOf(at)}/24` }))
    const profile = (from: number, to: number) => ({ delayMs: delays[from]?.[to] ?? 0, loss: 0 })
    this.#link = await UserSpaceLink.open({ ends, profile })
    await this.#forgetLinks()
  }

  /** Builds a circuit over links that are made for it, and once more over those that now stand. */
  async build(route: readonly RouteMember[]): Promise<Answer<'built'>> {
    await this.#forgetLinks()
    const { networkId } = SETTINGS
    return this.#caller.ask({ kind: 'build', networkId, host: hostOf(CLIENT), route, pings: PINGS }, 'built')
  }

  /** Round trips between a program beside the client and the server, one after the other: over a route, or straight. */
  async echo(route: readonly RouteMember[] | undefined, count: number): Promise<Answer<'echoed'>> {
    const target = { host: hostOf(SERVER), port: ECHO_PORT }
    if (route === undefined)
      return this.#caller.ask({ kind: 'echo', target: { ...target, proxy: undefined }, count }, 'echoed')
    const init = this.#clientInit('off')
    // One that knows no others takes this route.
    const members = route.map((member, at) => ({ ...member, roles: [ROLES[at] ?? 'exit'] }))
    await this.#client.ask({ kind: 'open', inits: [init] }, 'opened')
    await this.#client.ask({ kind: 'members', members }, 'known')
    const { ports } = await this.#client.ask({ kind: 'up' }, 'proxies')
    const said = await this.#caller.ask({ kind: 'echo', target: { ...target, proxy: ports[0] }, count }, 'echoed')
    await this.#client.ask({ kind: 'close' }, 'closed')
    return said
  }

  /**
   * The same over the routes that clients choose by themselves from all members, each with guards of its own, once they have stood for
   * `settleMs`: a client finds out by and by which of them is nearer.
   * @param tiers of the clients, one each
   */
  async echoChosen(tiers: readonly ProfileTier[], settleMs: number, count: number): Promise<Answer<'echoed'>[]> {
    const target = { host: hostOf(SERVER), port: ECHO_PORT }
    await this.#client.ask({ kind: 'open', inits: tiers.map((tier) => this.#clientInit(tier)) }, 'opened')
    await this.#client.ask({ kind: 'members', members: this.members }, 'known')
    const { ports } = await this.#client.ask({ kind: 'up' }, 'proxies')
    // Whoever has asked for nothing yet has no route.
    for (const proxy of ports)
      await this.#caller.ask({ kind: 'echo', target: { ...target, proxy }, count: 1 }, 'echoed')
    await setTimeout(settleMs)
    const said: Answer<'echoed'>[] = []
    for (const proxy of ports)
      said.push(await this.#caller.ask({ kind: 'echo', target: { ...target, proxy }, count }, 'echoed'))
    await this.#client.ask({ kind: 'close' }, 'closed')
    return said
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }

  /** Opens the nodes' engines anew, in processes that have carried before: compiled, and without a link. */
  async #forgetLinks(): Promise<void> {
    const { members } = this
    await Promise.all(
      this.#nodes.map(async ({ process, init }) => {
        await process.ask({ kind: 'close' }, 'closed')
        await process.ask({ kind: 'open', inits: [init] }, 'opened')
        await process.ask({ kind: 'members', members }, 'known')
      }),
    )
  }

  #clientInit(tier: ProfileTier): EngineInit {
    const profile = { ...DEFAULT_ROUTE_PROFILE, tier }
    return newEngineClient({ ...SETTINGS, udp: { host: hostOf(CLIENT), port: 0 }, profile })
  }

  #namespace(at: number): string {
    return this.#namespaces[at] as string
  }
}

function hostOf(place: number): string {
  return `10.77.0.${1 + place}`
}

function ip(...words: readonly string[]): void {
  execFileSync('ip', words, { stdio: 'pipe' })
}
