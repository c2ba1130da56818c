import { type Server, createServer } from 'node:net'
import { once } from 'node:events'
import { systemClock, systemRandom, toHex } from '@weft/core'
import type { Bridge } from '../src/bridge-line.ts'
import { BridgeServer } from '../src/bridge-server.ts'
import type { Endpoint } from '../src/endpoint.ts'
import { pinOf } from '../src/pin.ts'
import { TEST_CERTIFICATE, TEST_KEY } from './test-identity.ts'

export const HOST = '127.0.0.1'

/** Each look at the clock finds another second, so that connections are never too many in one. */
let now = 0

/** A bridge on loopback, a member that says everything back, and one invitation. */
export class BridgeFixture implements AsyncDisposable {
  readonly server: BridgeServer
  readonly #echoes: Server[]
  readonly member: Endpoint
  readonly bridge: Bridge
  readonly invitations: Map<string, Uint8Array>
  readonly members: Set<number>

  /** @param step ms between two looks at the clock */
  static async open(step = 1_000): Promise<BridgeFixture> {
    const echo = await openEcho()
    const { port } = echo.address() as { readonly port: number }
    const invitations = new Map<string, Uint8Array>()
    const members = new Set([port])
    const server = await BridgeServer.open({
      host: HOST,
      port: 0,
      identity: { certificate: TEST_CERTIFICATE, key: TEST_KEY },
      page: undefined,
      secretOf: (id) => invitations.get(id),
      isMember: (target) => target.host === HOST && members.has(target.port),
      bytesPerSecond: undefined,
      clock: { ...systemClock, monotonic: () => (now += step) },
    })
    return new BridgeFixture(server, echo, { host: HOST, port }, invitations, members)
  }

  private constructor(
    server: BridgeServer,
    echo: Server,
    member: Endpoint,
    invitations: Map<string, Uint8Array>,
    members: Set<number>,
  ) {
    this.server = server
    this.#echoes = [echo]
    this.member = member
    this.invitations = invitations
    this.members = members
    this.bridge = this.invite()
  }

  async moreMembers(count: number): Promise<readonly Endpoint[]> {
    const ports: number[] = []
    while (ports.length < count) {
      const echo = await openEcho()
      this.#echoes.push(echo)
      ports.push((echo.address() as { readonly port: number }).port)
    }
    for (const port of ports) this.members.add(port)
    return ports.map((port) => ({ host: HOST, port }))
  }

  invite(): Bridge {
    const id = systemRandom.bytes(8)
    const secret = systemRandom.bytes(32)
    this.invitations.set(toHex(id), secret)
    return {
      endpoint: { host: HOST, port: this.server.port },
      pin: pinOf(TEST_CERTIFICATE),
      id,
      secret,
      serverName: '',
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]()
    for (const echo of this.#echoes) echo.close()
  }
}

async function openEcho(): Promise<Server> {
  const echo = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {})
    socket.pipe(socket)
  }).listen(0, HOST)
  await once(echo, 'listening')
  return echo
}
