import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, type Logger, Scope, silentLogger, systemClock } from '@weft/core'
import { type DidKey, SigningKey } from '@weft/crypto'
import {
  type ConformanceProbe,
  type LeaseUse,
  type MapReader,
  type NetworkFile,
  type Overlay,
  type OwnPackets,
  type Role,
  createOverlay,
  parseNetworkFile,
} from '../src/index.ts'

export interface LocalNode {
  readonly key: SigningKey
  readonly overlay: Overlay
  readonly directory: string
  readonly port: number
  stop(): Promise<void>
}

export interface StartNode {
  readonly roles?: readonly Role[]
  readonly clock?: Clock
  readonly logger?: Logger
  readonly announce?: readonly string[]
  readonly network?: NetworkFile
  readonly packets?: OwnPackets
  readonly probes?: readonly ConformanceProbe[]
  readonly mapReader?: MapReader
  readonly lends?: readonly LeaseUse[]
}

/** Real nodes on 127.0.0.1 for tests: one network file, each node with its own key, port and state directory. */
export class LocalNetwork implements AsyncDisposable {
  readonly file: NetworkFile
  readonly #root: string
  readonly #nodes: { key: SigningKey; port: number; directory: string }[]
  readonly #scope = new Scope({ name: 'local network', slowCloseMs: 10_000 })

  private constructor(file: NetworkFile, root: string, nodes: { key: SigningKey; port: number; directory: string }[]) {
    this.file = file
    this.#root = root
    this.#nodes = nodes
  }

  /** @param count places in the network file, the first `validators` of them validators. */
  static async create(count: number, validators: number, mapEpochMs = 1_000): Promise<LocalNetwork> {
    const root = await mkdtemp(join(tmpdir(), 'weft-overlay-'))
    const ports = await freePorts(count)
    const nodes = ports.map((port, index) => ({ key: SigningKey.generate(), port, directory: join(root, `n${index}`) }))
    const text = JSON.stringify({
      schemaVersion: 1,
      name: 'local',
      validators: nodes.slice(0, validators).map(({ key, port }, index) => ({
        id: key.id,
        addresses: [`/ip4/127.0.0.1/tcp/${port}`],
        roles: ['validator', 'storage'],
        family: `family-${index}`,
      })),
      mapEpochMs,
      createdAt: Date.now() - 10 * mapEpochMs,
      simulated: Object.fromEntries(
        nodes.map(({ key }, index) => [
          key.id,
          {
            address: `198.51.${100 + index}.1`,
            asn: 64_500 + index,
            family: `family-${index}`,
            country: 'CH',
            region: 'eu-central',
          },
        ]),
      ),
    })
    return new LocalNetwork(parseNetworkFile(text), root, nodes)
  }

  key(index: number): SigningKey {
    return this.#place(index).key
  }

  port(index: number): number {
    return this.#place(index).port
  }

  id(index: number): DidKey {
    return this.#place(index).key.id
  }

  directory(index: number): string {
    return this.#place(index).directory
  }

  /** Starts a node of the table; validators by their place in it. */
  async start(index: number, options: StartNode = {}): Promise<LocalNode> {
    const { key, port, directory } = this.#place(index)
    const isValidator = index < this.file.validators.length
    const scope = this.#scope.child(`node ${index}`)
    const roles = options.roles ?? (isValidator ? ['validator', 'storage'] : ['storage'])
    const overlay = await createOverlay({
      network: options.network ?? this.file,
      key,
      roles,
      listen: roles.includes('client') ? [] : [{ host: '127.0.0.1', port }],
      ...(options.announce === undefined ? {} : { announce: options.announce }),
      ...(options.packets === undefined ? {} : { packets: options.packets }),
      ...(options.probes === undefined ? {} : { probes: options.probes }),
      ...(options.lends === undefined ? {} : { lends: options.lends }),
      ...(options.mapReader === undefined ? {} : { mapReader: options.mapReader }),
      family: `family-${index}`,
      directory,
      clock: options.clock ?? systemClock,
      logger: options.logger ?? silentLogger,
      scope,
    })
    return { key, overlay, directory, port, stop: () => scope.close() }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope.close()
    await rm(this.#root, { recursive: true, force: true })
  }

  #place(index: number): { key: SigningKey; port: number; directory: string } {
    const place = this.#nodes[index]
    if (place === undefined) throw new RangeError(`the network has no place ${index}`)
    return place
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
