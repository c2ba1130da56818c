import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CircuitReason } from '../../src/circuit/reasons.ts'
import { FakeNetwork, say, textOf } from './fake-network.ts'

for (const hops of ['ab', 'abc', 'abcd', 'abcde'])
  test(`a circuit of ${hops.length} hops carries packets both ways`, () => {
    const network = new FakeNetwork()
    let ready = 0
    const came: [number, string][] = []
    const circuit = network.build(hops, {
      onReady: () => ready++,
      onPacket: (number, payload) => came.push([number, textOf(payload)]),
    })
    assert.equal(circuit.state, 'building')
    assert.equal(
      circuit.seal(() => assert.fail('not ready')),
      false,
    )
    network.run()
    assert.equal(circuit.state, 'ready')
    assert.equal(ready, 1)
    assert.equal(circuit.payloadLength, 1379 - 25 * (hops.length - 1))
    const [exit] = network.node(hops.at(-1)!).exits
    assert.ok(exit)
    assert.equal(exit.circuit.payloadLength, circuit.payloadLength)
    for (let i = 0; i < 20; i++) {
      assert.equal(circuit.seal(say(2 ** 31 + i, `up ${i}`)), true)
      assert.equal(exit.circuit.seal(say(5 + i, `down ${i}`)), true)
      network.run()
    }
    assert.deepEqual(
      exit.packets,
      Array.from({ length: 20 }, (_, i) => [2 ** 31 + i, `up ${i}`]),
    )
    assert.deepEqual(
      came,
      Array.from({ length: 20 }, (_, i) => [5 + i, `down ${i}`]),
    )
    assert.deepEqual(
      circuit.rttMs,
      Array.from(hops, () => 0),
    )
  })

test('a node counts the cells that its links took, and those that they did not', () => {
  const network = new FakeNetwork()
  const circuit = network.build('abc')
  network.run()
  const { circuits } = network.node('b')
  const before = circuits.forwarded
  for (let i = 0; i < 3; i++) circuit.seal(say(i, 'up'))
  network.run()
  network.node('c').exits[0]!.circuit.seal(say(0, 'down'))
  network.run()
  assert.equal(circuits.forwarded - before, 4)
  network.link('b', 'c').up = false
  circuit.seal(say(3, 'up'))
  network.run()
  assert.equal(circuits.forwarded - before, 4)
  assert.equal(circuits.drops.linkBusy, 1)
})

test('a node tells what each circuit moved since it was asked last, one that ended as well, and what handshakes it answered', () => {
  const network = new FakeNetwork()
  const [one, other] = [network.build('abc'), network.build('abc')]
  network.run()
  const of = (name: string) => network.node(name).circuits.traffic()
  assert.equal(of('b').handshakes, 2)
  assert.equal(of('c').handshakes, 2)
  assert.deepEqual(of('b'), { cells: [], handshakes: 0 })
  for (let i = 0; i < 3; i++) one.seal(say(i, 'up'))
  other.seal(say(0, 'up'))
  network.run()
  network.node('c').exits[0]!.circuit.seal(say(0, 'down'))
  network.run()
  other.destroy()
  network.run()
  assert.deepEqual(
    of('b').cells.toSorted((a, b) => a - b),
    [1, 4],
  )
  assert.deepEqual(
    of('c').cells.toSorted((a, b) => a - b),
    [1, 4],
  )
  assert.deepEqual(of('b').cells, [])
})

test('a node tells which part of its places for circuits is taken', () => {
  const network = new FakeNetwork()
  network.build('abc')
  network.run()
  assert.equal(network.node('b').circuits.fill, 1 / 16_384)
})

test('hops see each other alone: no node gets a message of a node that is not its neighbour', () => {
  const network = new FakeNetwork()
  network.build('abc')
  network.run()
  const pairs = new Set(network.delivered.map((item) => item.from + item.to))
  assert.deepEqual([...pairs].sort(), ['Ca', 'ab', 'aC', 'ba', 'bc', 'cb'].sort())
})

test('a ping reaches each hop, the exit too, and its time is told', async () => {
  const network = new FakeNetwork()
  const pongs: [number, number][] = []
  const circuit = network.build('abc', { onPong: (hop, ms) => pongs.push([hop, ms]) })
  network.run()
  for (const hop of [0, 1, 2]) {
    circuit.ping(hop)
    await network.clock.advance(40 + hop)
    network.run()
  }
  assert.deepEqual(pongs, [
    [0, 40],
    [1, 41],
    [2, 42],
  ])
  assert.deepEqual(circuit.rttMs, [40, 41, 42])
})

test('lost handshake packets are sent again, at every place', async () => {
  // Each transmission of the build is lost once, by itself.
  for (let lost = 0; lost < 12; lost++) {
    const network = new FakeNetwork()
    let count = 0
    const circuit = network.build('abc')
    const change = (item: Parameters<FakeNetwork['deliver']>[0]) => (count++ === lost ? [] : [item])
    network.run(change)
    await network.pass(1500, change)
    assert.equal(circuit.state, 'ready', `transmission ${lost} lost`)
    assert.equal(network.node('c').exits.length, 1)
  }
})

test('doubled and reordered handshake packets make one circuit', async () => {
  const network = new FakeNetwork()
  const kept: Parameters<FakeNetwork['deliver']>[0][] = []
  const circuit = network.build('abcd')
  const change = (item: Parameters<FakeNetwork['deliver']>[0]) => {
    const late = kept.splice(0)
    kept.push(item)
    return [item, item, ...late]
  }
  network.run(change)
  await network.pass(1000, change)
  assert.equal(circuit.state, 'ready')
  assert.equal(network.node('d').exits.length, 1)
  for (const name of 'abcd') assert.equal(network.node(name).circuits.size, 1)
  circuit.seal(say(1, 'still works'))
  network.run()
  assert.deepEqual(network.node('d').exits[0]?.packets, [[1, 'still works']])
})

test('the same create is answered with the same answer, another one ends the circuit', () => {
  const network = new FakeNetwork()
  const circuit = network.build('ab')
  const create = network.queue[0]!
  network.deliver(create)
  const answer = network.queue.at(-1)!
  network.deliver(create)
  assert.deepEqual(network.queue.at(-1)?.bytes, answer.bytes)
  assert.notEqual(network.queue.at(-1), answer)
  const other = { ...create, bytes: create.bytes.with(100, create.bytes[100]! ^ 1) }
  network.deliver(other)
  assert.equal(network.node('a').circuits.size, 0)
  network.queue = network.queue.filter((item) => item.command === 3)
  network.run()
  assert.equal(circuit.state, 'closed')
})

test('a create that is replayed under another id, or after the end, is refused', () => {
  const network = new FakeNetwork()
  const circuit = network.build('ab')
  const create = network.queue[0]!
  network.run()
  network.deliver({ ...create, circuitId: create.circuitId - 1 })
  assert.deepEqual([network.queue[0]?.command, network.queue[0]?.bytes[0]], [3, CircuitReason.handshakeRefused])
  network.run()
  circuit.destroy()
  network.run()
  network.deliver(create)
  assert.deepEqual([network.queue[0]?.command, network.queue[0]?.bytes[0]], [3, CircuitReason.handshakeRefused])
})

test('a changed byte at any place dies at the next honest hop on the way out', () => {
  const network = new FakeNetwork()
  const circuit = network.build('abc')
  network.run()
  const [exit] = network.node('c').exits
  // Counter, sealed content of this hop and of the next ones, kind, tag; at d > 0 the padding behind is the link's to protect.
  for (const [from, to, length] of [
    ['C', 'a', 1404],
    ['a', 'b', 1379],
    ['b', 'c', 1354],
  ] as const)
    for (const at of [0, 7, 8, 15, 16, 24, 700, length - 42, length - 26, length - 17, length - 16, length - 1]) {
      const before = network.node(to).circuits.drops.unopened
      const sent = network.delivered.length
      circuit.seal(say(100_000 + at + from.charCodeAt(0) * 2000, 'tagged'))
      network.run((item) => [
        item.from === from && item.to === to ? { ...item, bytes: item.bytes.with(at, item.bytes[at]! ^ 0x10) } : item,
      ])
      assert.equal(network.node(to).circuits.drops.unopened, before + 1, `${from}${to} byte ${at}`)
      assert.equal(network.delivered.at(-1)?.to, to)
      assert.ok(network.delivered.length > sent)
    }
  assert.deepEqual(exit?.packets, [])
  assert.equal(circuit.state, 'ready')
})

test('a changed byte at any place on the way back dies at the client', () => {
  const network = new FakeNetwork()
  const came: string[] = []
  const circuit = network.build('abc', { onPacket: (_, payload) => came.push(textOf(payload)) })
  network.run()
  const exit = network.node('c').exits[0]!.circuit
  let number = 0
  for (const [from, to, length] of [
    ['c', 'b', 1354],
    ['b', 'a', 1379],
    ['a', 'C', 1404],
  ] as const)
    for (const at of [0, 7, 8, 15, 16, 24, 700, length - 17, length - 16, length - 1]) {
      const before = circuit.dropped
      exit.seal(say(++number, 'tagged'))
      network.run((item) => [
        item.from === from && item.to === to ? { ...item, bytes: item.bytes.with(at, item.bytes[at]! ^ 0x80) } : item,
      ])
      assert.equal(circuit.dropped, before + 1, `${from}${to} byte ${at}`)
    }
  assert.deepEqual(came, [])
})

test('replayed cells are dropped at every hop and at the client', () => {
  const network = new FakeNetwork()
  const came: string[] = []
  const circuit = network.build('abc', { onPacket: (_, payload) => came.push(textOf(payload)) })
  network.run()
  circuit.seal(say(1, 'once'))
  network.node('c').exits[0]!.circuit.seal(say(1, 'once'))
  const start = network.delivered.length
  network.run()
  const cells = network.delivered.slice(start).filter((item) => item.command === 0)
  assert.equal(cells.length, 6)
  for (const cell of cells) {
    network.deliver(cell)
    network.run()
  }
  assert.deepEqual(network.node('c').exits[0]?.packets, [[1, 'once']])
  assert.deepEqual(came, ['once'])
  for (const name of 'abc') assert.equal(network.node(name).circuits.drops.unopened, 1, name)
  assert.equal(circuit.dropped, 3) // one cell back over each link
})

test('padding is fresh at every hop, and counters of two links are not related', () => {
  const network = new FakeNetwork()
  const circuit = network.build('abc')
  network.run()
  const start = network.delivered.length
  for (let i = 1; i <= 50; i++) {
    circuit.seal(say(i, ''))
    network.run()
  }
  const cells = network.delivered.slice(start)
  const counters = (from: string) =>
    cells.filter((item) => item.from === from).map((item) => Number(Buffer.from(item.bytes).readBigUInt64BE()))
  const [entry, relay] = [counters('C'), counters('a')]
  const steps = (list: number[]) => list.slice(1).map((value, i) => value - list[i]!)
  for (const list of [entry, relay]) {
    assert.ok(list[0]! < 2 ** 31 + 2 ** 20)
    assert.ok(steps(list).every((step) => step >= 1 && step <= 4))
  }
  assert.notDeepEqual(steps(entry), steps(relay))
  const tails = cells
    .filter((item) => item.from === 'b')
    .map((item) => Buffer.from(item.bytes.subarray(1354)).toString('hex'))
  assert.equal(new Set(tails).size, 50)
  assert.ok(tails.every((tail) => tail !== '00'.repeat(50)))
})
