import { type Clock, type Logger, Scope, silentLogger, systemClock } from '@weft/core'
import { type DidKey, SigningKey } from '@weft/crypto'
import { createTransport } from '../../src/transport/create-transport.ts'
import type { OpenThrough } from '../../src/transport/through-transport.ts'
import type { AccessPolicy, Transport } from '../../src/transport/transport.ts'

export interface TestNodeOptions {
  readonly networkId?: string
  readonly listen?: boolean
  /** Listen on a WebSocket as well. */
  readonly websocket?: boolean
  readonly access?: AccessPolicy
  /** Be a relay for others. */
  readonly relay?: boolean
  readonly clock?: Clock
  readonly logger?: Logger
  readonly noise?: boolean
  /** By way of whom it calls. */
  readonly through?: OpenThrough
}

export interface TestNode {
  readonly transport: Transport
  readonly key: SigningKey
  readonly id: DidKey
  readonly scope: Scope
}

/** Real transports on loopback that find one another through a shared table. */
export class TestNetwork implements AsyncDisposable {
  readonly addresses = new Map<DidKey, readonly string[]>()
  readonly #scopes: Scope[] = []

  async node(options: TestNodeOptions = {}): Promise<TestNode> {
    const scope = new Scope({ name: 'test node' })
    this.#scopes.push(scope)
    const key = SigningKey.generate()
    const transport = await createTransport({
      networkId: options.networkId ?? 'test',
      key,
      listen: [
        ...(options.listen === false ? [] : [{ host: '127.0.0.1', port: 0 }]),
        ...(options.websocket === true ? [{ host: '127.0.0.1', port: 0, websocket: true }] : []),
      ],
      clock: options.clock ?? systemClock,
      logger: options.logger ?? silentLogger,
      scope,
      access: options.access ?? { allows: () => true },
      noise: options.noise ?? false,
      relay: options.relay ?? false,
      through: options.through,
      lookup: (id) => this.addresses.get(id) ?? [],
    })
    this.addresses.set(key.id, transport.listenAddresses())
    return { transport, key, id: key.id, scope }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#scopes.map((scope) => scope.close()))
  }
}
