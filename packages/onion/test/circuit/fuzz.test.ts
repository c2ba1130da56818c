import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomInt, seededRandom } from '@weft/core'
import { FakeNetwork, type Item, say } from './fake-network.ts'

test('100,000 changed, cut, replayed and made-up cells and messages: none is accepted, nothing throws, the circuit stands', () => {
  const network = new FakeNetwork('abc')
  const came: number[] = []
  const circuit = network.build('abc', { onPacket: (number) => came.push(number) })
  network.run()
  circuit.seal(say(1, 'true'))
  const exit = network.node('c').exits[0]!
  exit.circuit.seal(say(1, 'true'))
  network.run()
  const recorded = [...network.delivered]
  const random = seededRandom(99)
  for (let i = 0; i < 100_000; i++) {
    const item = recorded[randomInt(random, recorded.length)] as Item
    const bytes = item.bytes.slice()
    const kind = i % 4
    if (kind === 0) bytes[randomInt(random, 1300)]! ^= 1 + randomInt(random, 255)
    else if (kind === 1) bytes.fill(0, randomInt(random, 1300))
    else if (kind === 2) bytes.set(random.bytes(1404))
    // A link protects its commands and ids: what can still come is a neighbour's own cell, or a create of a new circuit.
    const made = item.command === 0 || item.command === 2 ? item : { ...item, circuitId: randomInt(random, 2 ** 32) }
    network.deliver({ ...made, bytes })
    network.queue = []
  }
  assert.deepEqual(exit.packets, [[1, 'true']])
  assert.deepEqual(came, [1])
  assert.equal(circuit.state, 'ready')
  circuit.seal(say(2, 'still'))
  network.run()
  assert.deepEqual(exit.packets.at(-1), [2, 'still'])
  for (const name of 'abc') assert.equal(network.node(name).circuits.size, 1, name)
})
