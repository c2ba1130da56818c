import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Scope, type WeftError, silentLogger, systemClock, utf8 } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { fetchNetworkFile } from '../../src/invitation/fetch-network-file.ts'
import type { BootstrapNode } from '../../src/invitation/join-token.ts'
import { serveNetworkFile } from '../../src/network/network-file-server.ts'
import type { NetworkFile } from '../../src/network/network-file.ts'
import { codeOf, testNetwork } from '../fixtures.ts'
import { TestNetwork } from '../transport/test-network.ts'

const { network } = testNetwork(4, 1, { policy: 'invite' })
const other = testNetwork(4, 1).network

/** A node of the network that hands out `file`, or says what `answer` says. */
async function bootstrapNode(nodes: TestNetwork, file: NetworkFile | Uint8Array): Promise<BootstrapNode> {
  const { id, transport } = await nodes.node({ networkId: network.id, access: { allows: () => false } })
  if (file instanceof Uint8Array) transport.handle('network.file', async () => ({ file }))
  else serveNetworkFile(transport, file)
  return { id, addresses: transport.listenAddresses() }
}

function fetchFrom(scope: Scope, bootstrap: readonly BootstrapNode[]): Promise<NetworkFile> {
  const signal = scope.signal
  return fetchNetworkFile({ network: network.id, bootstrap, clock: systemClock, logger: silentLogger, scope, signal })
}

test('a stranger gets the file of the id that it asks for, past nodes that are gone, lie or talk nonsense', async () => {
  await using nodes = new TestNetwork()
  await using scope = new Scope({ name: 'test' })
  const gone = { id: SigningKey.generate().id, addresses: ['/ip4/127.0.0.1/tcp/1'] }
  const liar = await bootstrapNode(nodes, other.file)
  const nonsense = await bootstrapNode(nodes, Uint8Array.of(0xff, 0xfe))
  const honest = await bootstrapNode(nodes, network.file)
  assert.deepEqual(await fetchFrom(scope, [gone, liar, nonsense, honest]), network.file)
  await assert.rejects(fetchFrom(scope, [gone, liar, nonsense]), (error: WeftError) => {
    assert.equal(error.code, 'E_JOIN_UNREACHABLE')
    assert.match(error.cause, /tcp\/1 \(E_NODE_UNREACHABLE\).*\(E_NETWORK_MISMATCH\)/)
    return true
  })
})

test('a node that somebody else answers for is not believed', async () => {
  await using nodes = new TestNetwork()
  await using scope = new Scope({ name: 'test' })
  const { addresses } = await bootstrapNode(nodes, network.file)
  await assert.rejects(fetchFrom(scope, [{ id: SigningKey.generate().id, addresses }]), { code: 'E_JOIN_UNREACHABLE' })
})

test('a file that is too large for a connection is not handed out', async () => {
  let answer: (() => Promise<unknown>) | undefined
  const places = Object.fromEntries(
    Array.from({ length: 1_200 }, (_, index) => [
      SigningKey.generate().id,
      { address: '198.51.100.1', asn: index, family: 'f'.repeat(40), country: 'CH', region: 'eu-central' },
    ]),
  )
  serveNetworkFile(
    {
      handle: (_method, handler) => {
        answer = handler as never
        return () => {}
      },
    },
    { ...network.file, simulated: places },
  )
  assert.equal(await codeOf(() => answer?.()), 'E_NETWORK_FILE')
  assert.ok(utf8(JSON.stringify(network.file)).length < 16_384)
})
