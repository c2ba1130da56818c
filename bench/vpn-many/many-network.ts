import { randomBytes } from 'node:crypto'
import { type Random, systemRandom } from '@weft/core'
import { type X25519KeyPair, toDidKey } from '@weft/crypto'
import { generateX25519 } from '@weft/onion'
import { createPlainCertificate } from '@weft/overlay'
import type { EngineInit } from '../../packages/vpn/src/engine/engine-init.ts'
import type { RouteMember } from '../../packages/vpn/src/route/route-member.ts'
import { EngineProcess } from './engine-process.ts'

const NETWORK = 'bench-many'
const NOBODY = { users: [], cgroups: [] }

interface Node {
  readonly init: EngineInit
  readonly member: Omit<RouteMember, 'endpoint'>
  process: EngineProcess
  port: number
}

/** Nodes that are entry, relay and exit at once, each in a process of its own, with a limit on what it carries each way. */
export class ManyNetwork implements AsyncDisposable {
  readonly #nodes: Node[] = []

  static async up(count: number, bytesPerSecond: number): Promise<ManyNetwork> {
    const network = new ManyNetwork()
    try {
      for (let at = 0; at < count; at++) await network.#add(at, bytesPerSecond)
      for (const { process } of network.#nodes) await network.#tell(process)
      return network
    } catch (error) {
      await network[Symbol.asyncDispose]()
      throw error
    }
  }

  get size(): number {
    return this.#nodes.length
  }

  /** So many clients in one process, each with routes and a proxy of its own, whose ports are given. */
  async clients(count: number): Promise<AsyncDisposable & { readonly proxies: readonly number[] }> {
    const process = new EngineProcess()
    try {
      const inits = Array.from({ length: count }, () => engineInit(randomBytes(32), undefined, undefined))
      await process.ask({ kind: 'open', inits }, 'opened')
      await this.#tell(process)
      const { ports } = await process.ask({ kind: 'up' }, 'proxies')
      return { proxies: ports, [Symbol.asyncDispose]: () => process.kill() }
    } catch (error) {
      await process.kill()
      throw error
    }
  }

  async kill(at: number): Promise<void> {
    await this.#at(at).process.kill()
  }

  /** Starts a node again that was killed, with its keys and its port. */
  async restart(at: number): Promise<void> {
    const node = this.#at(at)
    node.process = new EngineProcess()
    const init = { ...node.init, udp: { ...node.init.udp, port: node.port } }
    await node.process.ask({ kind: 'open', inits: [init] }, 'opened')
    await this.#tell(node.process)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { process } of this.#nodes) await process.kill()
  }

  #at(at: number): Node {
    const node = this.#nodes[at]
    if (node === undefined) throw new Error(`there is no node ${at}`)
    return node
  }

  async #add(at: number, bytesPerSecond: number): Promise<void> {
    const key = randomBytes(32)
    const keys = keyPairs(systemRandom)
    const init = engineInit(key, keys, bytesPerSecond)
    const process = new EngineProcess()
    const member = {
      id: toDidKey(key),
      key,
      roles: ['entry', 'relay', 'exit'],
      linkKey: keys.link.publicKey,
      onionKey: (keys.onion[0] as X25519KeyPair).publicKey,
      family: `family-${at}`,
      prefix: `10.${at}.0.0/16`,
      asn: 64_512 + at,
      country: 'DE',
      region: 'europe',
      simulated: true,
    } as const
    const node: Node = { init, member, process, port: 0 }
    this.#nodes.push(node)
    const { ports } = await process.ask({ kind: 'open', inits: [init] }, 'opened')
    node.port = ports[0] ?? 0
  }

  async #tell(process: EngineProcess): Promise<void> {
    const members = this.#nodes.map(({ member, port }) => ({ ...member, endpoint: { address: '127.0.0.1', port } }))
    await process.ask({ kind: 'members', members }, 'known')
  }
}

type Keys = NonNullable<EngineInit['keys']>

function keyPairs(random: Random): Keys {
  return { link: generateX25519(random), onion: [generateX25519(random)] }
}

function engineInit(nodeKey: Uint8Array, keys: Keys | undefined, bytesPerSecond: number | undefined): EngineInit {
  const carries = keys !== undefined
  return {
    networkId: NETWORK,
    nodeKey,
    roles: { entry: carries, relay: carries, exit: carries },
    keys,
    suite: 'auto',
    worker: { index: 0, count: 1, shared: undefined },
    carriage: { setting: 'udp', identity: carries ? createPlainCertificate() : undefined, bridges: [] },
    udp: { host: '127.0.0.1', port: 0 },
    proxy: { host: '127.0.0.1', port: 0 },
    dns: undefined,
    tun: { isWanted: false, exclude: [], include: [], excludePrograms: NOBODY, includePrograms: NOBODY, stateFile: '' },
    relay: { bytesPerSecond },
    exit: { allow: ['127.0.0.1/32:*'], deny: [], own: [], nameServers: [], ip: false },
  }
}
