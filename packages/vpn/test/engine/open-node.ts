import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type Socket, connect } from 'node:net'
import type { Bridge } from '@weft/bridge'
import { silentLogger, systemClock, systemRandom } from '@weft/core'
import { type X25519KeyPair, toDidKey } from '@weft/crypto'
import { generateX25519 } from '@weft/onion'
import { type Role, createPlainCertificate } from '@weft/overlay'
import type { CarriageSetting } from '../../src/carriage/carriage-choice.ts'
import { type EngineParts, PacketEngine } from '../../src/engine/packet-engine.ts'
import type { RouteProfile } from '../../src/profile/route-profile.ts'
import type { RouteMember } from '../../src/route/route-member.ts'
import { makeMember } from '../route/make-member.ts'
import { NO_TUN } from './no-tun.ts'

export const NETWORK = 'test-network'

/** The packet path of a node with its entry of the map. */
export interface TestNode {
  readonly engine: PacketEngine
  readonly member: RouteMember
  /** That of the member. */
  readonly onion: X25519KeyPair
}

/** Roles that carry packets: none for a client. @param host address of its UDP port @param limit bytes a second that it carries for others */
export async function openNode(
  index: number,
  roles: readonly Role[],
  host = '127.0.0.1',
  parts: Partial<EngineParts> = {},
  {
    limit,
    carriage = 'auto',
    port: udpPort = 0,
    bridges = [],
    deny = [],
    profile,
    nameServers = [],
    ip = false,
  }: {
    readonly limit?: number
    readonly carriage?: CarriageSetting
    readonly port?: number
    readonly bridges?: readonly Bridge[]
    /** Of an exit: what else it refuses. */
    readonly deny?: readonly string[]
    readonly profile?: RouteProfile
    /** Of an exit: whom it asks for names, and whether it carries IP packets. */
    readonly nameServers?: readonly string[]
    readonly ip?: boolean
  } = {},
): Promise<TestNode> {
  const nodeKey = randomBytes(32)
  const carries = roles.length > 0
  const link = generateX25519(systemRandom)
  const onion = generateX25519(systemRandom)
  const engine = await PacketEngine.open(
    {
      networkId: NETWORK,
      ...(profile === undefined ? {} : { profile }),
      nodeKey,
      roles: { entry: roles.includes('entry'), relay: roles.includes('relay'), exit: roles.includes('exit') },
      keys: carries ? { link, onion: [onion] } : undefined,
      suite: 'auto',
      worker: { index: 0, count: 1, shared: undefined },
      carriage: {
        setting: carriage,
        identity: roles.includes('entry') ? createPlainCertificate() : undefined,
        bridges,
      },
      udp: { host, port: udpPort },
      proxy: { host: '127.0.0.1', port: 0 },
      dns: undefined,
      tun: NO_TUN,
      relay: { bytesPerSecond: limit },
      exit: { allow: ['127.0.0.1/32:*'], deny: ['127.0.0.1/32:9', ...deny], own: [], nameServers, ip },
    },
    {
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      onRoute: () => {},
      onRouteEvent: () => {},
      onThroughput: () => {},
      onGuards: () => {},
      ...parts,
    },
  )
  const { address, port } = engine.endpoint ?? assert.fail()
  const member = makeMember(index, roles, {
    id: toDidKey(nodeKey),
    key: nodeKey,
    endpoint: { address, port },
    linkKey: link.publicKey,
    onionKey: onion.publicKey,
  })
  return { engine, member, onion }
}

/**
 * One SOCKS5 CONNECT, by a user of its own (RFC 1929) where one is named.
 * @returns the socket once it is through, or the reply that refused it
 */
export async function socks(port: number, host: string, target: number, user?: string): Promise<Socket | number> {
  const socket = connect({ host: '127.0.0.1', port })
  const name = Buffer.from(host)
  const hello = user === undefined ? [5, 1, 0] : [5, 1, 2, 1, user.length, ...Buffer.from(user), 1, 120]
  socket.write(Buffer.from([...hello, 5, 1, 0, 3, name.length, ...name, target >> 8, target & 255]))
  // Two bytes answer the greeting, two the credentials, ten the request.
  const ahead = user === undefined ? 2 : 4
  let answer = Buffer.alloc(0)
  while (answer.length < ahead + 10) {
    assert.ok(!socket.readableEnded, `the proxy ended the connection after ${answer.toString('hex')}`)
    if (socket.readableLength === 0) await once(socket, 'readable')
    answer = Buffer.concat([answer, (socket.read() as Buffer | null) ?? Buffer.alloc(0)])
  }
  const reply = answer[ahead + 1] as number
  if (reply === 0) return socket
  socket.destroy()
  return reply
}

/** The body of a page that the proxy fetches. */
export async function get(proxy: number, target: number, user?: string): Promise<Buffer> {
  const socket = await socks(proxy, '127.0.0.1', target, user)
  assert.ok(typeof socket !== 'number', 'the proxy refused')
  socket.write(`GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n`)
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  const all = Buffer.concat(chunks)
  return all.subarray(all.indexOf('\r\n\r\n') + 4)
}
