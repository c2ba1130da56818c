import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CircuitReason } from '../../src/circuit/reasons.ts'
import { say, textOf } from './fake-network.ts'
import { LinkedNodes } from './linked-nodes.ts'

test('a circuit over real links: packets of 1440 bytes both ways, and a hop that falls silent is named', async () => {
  const nodes = new LinkedNodes()
  const back: string[] = []
  const ends: [number, number][] = []
  const circuit = nodes.build({
    onPacket: (_, payload) => back.push(textOf(payload)),
    onEnd: (reason, hop) => ends.push([reason, hop]),
  })
  nodes.settle()
  assert.equal(circuit.state, 'ready', 'without any timer')
  for (let i = 0; i < 100; i++) {
    assert.ok(circuit.seal(say(i, `up ${i}`)))
    assert.ok(nodes.exits[0]!.seal(say(i, `down ${i}`)))
    nodes.settle()
  }
  const texts = (word: string): string[] => Array.from({ length: 100 }, (_, i) => `${word} ${i}`)
  assert.deepEqual(nodes.arrived, texts('up'))
  assert.deepEqual(back, texts('down'))
  // Keys of every link are renewed twice; a unit now and then keeps the circuit.
  for (let i = 0; i < 10; i++) {
    await nodes.pass(30_000)
    circuit.ping(2)
    nodes.settle()
  }
  assert.ok(circuit.seal(say(200, 'later')))
  nodes.settle()
  assert.equal(nodes.arrived.at(-1), 'later')
  nodes.silent.add(2)
  await nodes.pass(40_000)
  assert.deepEqual(ends, [[CircuitReason.linkLost, 2]])
  for (const { circuits } of nodes.machines) assert.equal(circuits.size, 0)
})
