import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeNetwork, say, textOf } from './fake-network.ts'

/** Bytes a second: 40 cells, of which 16 may go at once. */
const SLOW = 40 * 1440

function builtThrough(slow: 'b' | 'c') {
  const network = new FakeNetwork('abc', { [slow]: { bytesPerSecond: SLOW } })
  const came: string[] = []
  const circuit = network.build('abc', {
    onPacket: (_, payload) => void came.push(textOf(payload)),
    onEnd: () => void came.push('the end'),
  })
  network.run()
  const exit = network.node('c').exits[0]
  assert.ok(exit !== undefined)
  return { network, circuit, came, exit }
}

test('what is above the limit of a relay waits there, comes in order, and no faster than it lets through', async () => {
  const { network, circuit, exit } = builtThrough('b')
  for (let i = 0; i < 50; i++) assert.ok(circuit.seal(say(i, `p${i}`)))
  network.run()
  const { queue } = network.node('b').circuits
  const atOnce = exit.packets.length
  assert.ok(atOnce >= 10 && atOnce <= 16, `${atOnce}`)
  assert.equal(queue.size, 50 - atOnce)
  await network.pass(500)
  assert.ok(exit.packets.length <= atOnce + 21, `${exit.packets.length}`)
  await network.pass(1_500)
  const numbers = exit.packets.map(([number]) => number)
  assert.deepEqual(
    numbers,
    numbers.toSorted((a, b) => a - b),
  )
  // A second is longer than a queue is to stand (CoDel).
  const { queueFull, queueLate } = network.node('b').circuits.drops
  assert.deepEqual([numbers.length + queueLate, queueFull, queue.size], [50, 0, 0])
  assert.ok(queueLate > 0)
})

test('a second circuit gets its share of the limit, however much the first has waiting', async () => {
  const { network, circuit, exit } = builtThrough('b')
  const other = network.build('abc')
  network.run()
  for (let i = 0; i < 200; i++) circuit.seal(say(i, 'much'))
  network.run()
  other.seal(say(1, 'little'))
  network.run()
  await network.pass(250)
  assert.equal(network.node('c').exits[1]?.packets.length, 1)
  assert.ok(exit.packets.length < 40)
})

test('a session at an exit waits itself, goes on when there is room, and its last words come before the end', async () => {
  const { network, came, exit } = builtThrough('c')
  let [sent, calls] = [0, 0]
  const send = (): void => {
    while (exit.circuit.seal((payload) => say(++sent, `p${sent}`)(payload)));
  }
  exit.circuit.onRoom = () => {
    calls++
    send()
  }
  send()
  assert.ok(sent < 40, `${sent}`)
  await network.pass(1_000)
  assert.ok(calls > 0)
  assert.ok(sent > 40 && sent < 80, `${sent}`)
  exit.circuit.destroy(0)
  network.run()
  assert.deepEqual(came, [...Array.from({ length: sent }, (_, i) => `p${i + 1}`), 'the end'])
})

test('a circuit that ends takes what it had waiting along', () => {
  const { network, circuit } = builtThrough('b')
  for (let i = 0; i < 50; i++) circuit.seal(say(i, 'waits'))
  network.run()
  assert.ok(network.node('b').circuits.queue.size > 0)
  circuit.destroy()
  network.run()
  assert.equal(network.node('b').circuits.queue.size, 0)
})
