import assert from 'node:assert/strict'
import { test } from 'node:test'
import { through } from './man-in-the-middle.ts'
import { TestNetwork } from './test-network.ts'

test('whoever stands between two nodes cannot make them use Noise', async () => {
  await using network = new TestNetwork()
  const [a, b] = [await network.node({ listen: false }), await network.node()]
  assert.deepEqual(await through(network, a, b), [false, 0])
})

test('one of the two is enough: neither does a node accept Noise, nor ask for it', async () => {
  await using network = new TestNetwork()
  const [weak, strong] = [await network.node({ noise: true }), await network.node()]
  assert.deepEqual(await through(network, weak, strong), [false, 1])
  assert.deepEqual(await through(network, strong, weak), [false, 0])
})

test('where both are configured for it Noise works, and TLS is still what they choose', async () => {
  await using network = new TestNetwork()
  const [a, b] = [await network.node({ listen: false, noise: true }), await network.node({ noise: true })]
  b.transport.handle('map.head', async () => ({}))
  assert.deepEqual(await through(network, a, b), [true, 1])
})

test('nodes with and without Noise speak TLS to each other', async () => {
  await using network = new TestNetwork()
  const [a, b] = [await network.node({ noise: true }), await network.node()]
  for (const node of [a, b]) node.transport.handle('map.head', async () => ({}))
  await a.transport.call(b.id, 'map.head', {})
  await b.transport.call(a.id, 'map.head', {})
})
