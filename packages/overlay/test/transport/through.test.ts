import assert from 'node:assert/strict'
import { type Socket, connect } from 'node:net'
import { test } from 'node:test'
import { Scope, silentLogger, systemClock } from '@weft/core'
import { fetchNetworkFile } from '../../src/invitation/fetch-network-file.ts'
import { serveNetworkFile } from '../../src/network/network-file-server.ts'
import type { OpenThrough } from '../../src/transport/through-transport.ts'
import { testNetwork } from '../fixtures.ts'
import { TestNetwork } from './test-network.ts'

/** Leads to the nodes that a test has, each at another address than it says; nobody is at the addresses that nodes are looked up by. */
function ways(): { readonly open: OpenThrough; readonly asked: string[]; readonly sockets: Socket[]; at: number } {
  const state = {
    asked: [] as string[],
    sockets: [] as Socket[],
    at: 0,
    open: async ({ host, port }: Parameters<OpenThrough>[0]) => {
      state.asked.push(`${host}:${port}`)
      if (state.at === 0) throw new Error('no way works')
      const socket = connect({ host: '127.0.0.1', port: state.at, noDelay: true })
      state.sockets.push(socket)
      return socket
    },
  }
  return state
}

const portOf = (address: string | undefined): number => Number(/tcp\/(\d+)/.exec(address ?? '')?.[1])
/** In a range for documentation: who called it would call nobody. */
const ELSEWHERE = '/ip4/192.0.2.77/tcp/4780'

test('who calls by way of somebody else calls, opens streams and probes by it alone', async () => {
  await using network = new TestNetwork()
  const member = await network.node()
  const way = ways()
  way.at = portOf(member.transport.listenAddresses()[0])
  network.addresses.set(member.id, [ELSEWHERE])
  const client = await network.node({ listen: false, through: way.open })
  assert.ok((await client.transport.ping(member.id)) >= 0)
  member.transport.handleStream('shard', async (stream) => {
    for await (const chunk of stream.incoming) await stream.write(chunk)
  })
  const stream = await client.transport.open(member.id, 'shard')
  await stream.write(Buffer.from('there and back'))
  for await (const chunk of stream.incoming) {
    assert.equal(Buffer.from(chunk).toString(), 'there and back')
    break
  }
  stream.abort(new Error('done'))
  await using probe = await client.transport.probe(ELSEWHERE, member.id)
  assert.equal(probe.target, member.id)
  assert.deepEqual(new Set(way.asked), new Set(['192.0.2.77:4780']))
  assert.equal(way.sockets.length, 2)
})

test('where no way works nobody is called, and WebSockets are not either', async () => {
  await using network = new TestNetwork()
  const member = await network.node({ websocket: true })
  const way = ways()
  const client = await network.node({ listen: false, through: way.open })
  await assert.rejects(client.transport.connect(member.id), { code: 'E_NODE_UNREACHABLE' })
  assert.deepEqual(member.transport.connected(), [])
  // The one address by TCP, and not that by WebSocket.
  assert.deepEqual(way.asked, [`127.0.0.1:${portOf(member.transport.listenAddresses()[0])}`])
})

test('the end of a way is the end of the connection', async () => {
  await using network = new TestNetwork()
  const member = await network.node()
  const way = ways()
  way.at = portOf(member.transport.listenAddresses()[0])
  const client = await network.node({ listen: false, through: way.open })
  await client.transport.connect(member.id)
  const gone = new Promise<void>((resolve) => {
    client.transport.onPeer((_, connected) => {
      if (!connected) resolve()
    })
  })
  for (const socket of way.sockets) socket.destroy()
  await gone
  assert.deepEqual(client.transport.connected(), [])
})

test('the network file comes by way of somebody else to who joins', async () => {
  await using network = new TestNetwork()
  await using scope = new Scope({ name: 'test' })
  const { network: wanted } = testNetwork(4, 1)
  const { id, transport } = await network.node({ networkId: wanted.id, access: { allows: () => false } })
  serveNetworkFile(transport, wanted.file)
  const way = ways()
  way.at = portOf(transport.listenAddresses()[0])
  const file = await fetchNetworkFile({
    network: wanted.id,
    bootstrap: [{ id, addresses: [ELSEWHERE] }],
    through: way.open,
    clock: systemClock,
    logger: silentLogger,
    scope,
    signal: scope.signal,
  })
  assert.deepEqual(file, wanted.file)
  assert.deepEqual(way.asked, ['192.0.2.77:4780'])
})
