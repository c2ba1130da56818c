import type { EngineInit } from '../../packages/vpn/src/engine/engine-init.ts'
import { type EngineMember, newEngineClient, newEngineNode } from './engine-node.ts'
import { EngineProcess } from './engine-process.ts'

const SETTINGS = { networkId: 'bench-many', allow: ['127.0.0.1/32:*'] }

interface Node {
  readonly init: EngineInit
  readonly member: EngineMember
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
      const inits = Array.from({ length: count }, () => newEngineClient(SETTINGS))
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
    const { init, member } = newEngineNode(at, { ...SETTINGS, bytesPerSecond })
    const process = new EngineProcess()
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
