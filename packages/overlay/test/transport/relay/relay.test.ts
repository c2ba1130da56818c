import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DidKey } from '@weft/crypto'
import { formatRelayedAddress } from '../../../src/network/relayed-address.ts'
import { RELAYED_BYTES } from '../../../src/transport/limits.ts'
import { TestNetwork, type TestNode } from '../test-network.ts'
import { until } from '../until.ts'

/** A relay, and a node that does not listen and is reached over it. */
async function relayed(network: TestNetwork): Promise<{ relay: TestNode; hidden: TestNode }> {
  const [relay, hidden] = [await network.node({ relay: true }), await network.node({ listen: false })]
  network.addresses.set(hidden.id, [formatRelayedAddress(relay.id)])
  await hidden.transport.reserve(relay.id)
  return { relay, hidden }
}

test('a node that does not listen is called over its relay, and the relay proves nothing', async () => {
  await using network = new TestNetwork()
  const { relay, hidden } = await relayed(network)
  const callers: DidKey[] = []
  hidden.transport.handle('map.head', async (_, caller) => {
    callers.push(caller.id)
    assert.match(caller.address, /\/p2p-circuit/)
    return {}
  })
  const caller = await network.node({ listen: false })
  await caller.transport.call(hidden.id, 'map.head', {})
  assert.deepEqual(callers, [caller.id])
  assert.equal(caller.transport.isDirect(hidden.id), false)
  assert.equal(caller.transport.isDirect(relay.id), true)
})

test('bulk does not go over a relay: it says so after a wait for a direct connection', async () => {
  await using network = new TestNetwork()
  const { hidden } = await relayed(network)
  hidden.transport.handleStream('shard', async (stream) => stream.closeWrite())
  const caller = await network.node({ listen: false })
  await caller.transport.connect(hidden.id)
  await assert.rejects(caller.transport.open(hidden.id, 'shard'), { code: 'E_NODE_RELAYED', retryable: true })
})

test('a node that is called over a relay by one that it can dial itself does so, and bulk goes both ways then', async () => {
  await using network = new TestNetwork()
  const { hidden } = await relayed(network)
  const caller = await network.node()
  for (const node of [hidden, caller])
    node.transport.handleStream('shard', async (stream) => {
      for await (const _ of stream.incoming);
      await stream.closeWrite()
    })
  await caller.transport.connect(hidden.id)
  await until(() => caller.transport.isDirect(hidden.id) && hidden.transport.isDirect(caller.id), 'a direct connection')
  for (const [from, to] of [
    [caller, hidden],
    [hidden, caller],
  ] as const) {
    const stream = await from.transport.open(to.id, 'shard')
    await stream.closeWrite()
    for await (const _ of stream.incoming);
  }
})

test('a probe sees over a relay what it sees elsewhere, and no more bytes than the relay carries', async () => {
  await using network = new TestNetwork()
  const { relay, hidden } = await relayed(network)
  hidden.transport.handleStream('shard', async (stream) => {
    for await (const _ of stream.incoming);
    await stream.closeWrite()
  })
  await using probe = await relay.transport.probe(formatRelayedAddress(relay.id), hidden.id)
  const stream = await probe.open('shard')
  await assert.rejects(
    async () => {
      for (let sent = 0; sent <= RELAYED_BYTES; sent += 100_000) await stream.write(new Uint8Array(100_000))
      await stream.closeWrite()
      for await (const _ of stream.incoming);
    },
    { code: 'E_STREAM_RESET' },
  )
})

test('a relay that goes is seen at once; without its place nobody is called over it', async () => {
  await using network = new TestNetwork()
  const { relay, hidden } = await relayed(network)
  const lost: DidKey[] = []
  hidden.transport.onRelayLost((id) => lost.push(id))
  await relay.transport.disconnect(hidden.id)
  await until(() => lost.includes(relay.id), 'the loss is told')
  const caller = await network.node({ listen: false })
  await assert.rejects(caller.transport.connect(hidden.id), { code: 'E_NODE_UNREACHABLE' })
  await hidden.transport.reserve(relay.id)
  await caller.transport.connect(hidden.id)
})

test('who is no relay gives no place', async () => {
  await using network = new TestNetwork()
  const [plain, hidden] = [await network.node(), await network.node({ listen: false })]
  await assert.rejects(hidden.transport.reserve(plain.id), { code: 'E_RELAY_REFUSED' })
})

test('a relay is not reached over a relay, nor over itself', async () => {
  await using network = new TestNetwork()
  const { relay, hidden } = await relayed(network)
  const second = await network.node({ listen: false })
  network.addresses.set(second.id, [formatRelayedAddress(hidden.id)])
  const caller = await network.node({ listen: false })
  await assert.rejects(caller.transport.connect(second.id), { code: 'E_NODE_UNREACHABLE' })
  await hidden.transport.disconnect(relay.id)
  await until(() => !relay.transport.connected().includes(hidden.id), 'the relay has seen it')
  await assert.rejects(relay.transport.connect(hidden.id), { code: 'E_NODE_UNREACHABLE' })
})

test('two nodes that name each other as their relays keep no caller waiting for good', async () => {
  await using network = new TestNetwork()
  const [x, y] = [await network.node({ relay: true }), await network.node({ relay: true })]
  for (const [one, other] of [
    [x, y],
    [y, x],
  ] as const) {
    const direct = one.transport.listenAddresses()
    network.addresses.set(one.id, [formatRelayedAddress(other.id), ...direct])
  }
  const caller = await network.node({ listen: false })
  await Promise.all([caller.transport.connect(x.id), caller.transport.connect(y.id)])
})
