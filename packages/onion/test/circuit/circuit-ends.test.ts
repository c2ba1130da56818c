import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isWeftError } from '@weft/core'
import { Aead } from '../../src/packet/aead.ts'
import { CircuitReason } from '../../src/circuit/reasons.ts'
import { FakeNetwork, type NodeSetting, say } from './fake-network.ts'

/** Builds, runs, and gives back what the client was told. */
function outcome(hops: string, settings: Record<string, NodeSetting> = {}, names = 'abcde') {
  const network = new FakeNetwork(names, settings)
  const ends: [number, number][] = []
  const circuit = network.build(hops, { onEnd: (reason, hop) => ends.push([reason, hop]) })
  network.run()
  return { network, circuit, ends }
}

const refusals: [string, string, Record<string, NodeSetting>, [number, number]][] = [
  ['an entry without the role', 'abc', { a: { roles: { entry: false } } }, [CircuitReason.noRole, 0]],
  ['a relay without the role', 'abc', { b: { roles: { relay: false, exit: false } } }, [CircuitReason.noRole, 1]],
  ['an exit asked to be a relay', 'abc', { b: { roles: { relay: false } } }, [CircuitReason.noRole, 1]],
  ['an exit without the role', 'abc', { c: { roles: { exit: false } } }, [CircuitReason.noRole, 2]],
  ['an exit that is full', 'abc', { c: { accept: () => false } }, [CircuitReason.tooManyCircuits, 2]],
  ['a next hop that the map does not name', 'abx', {}, [CircuitReason.unknownNextHop, 2]],
  ['a node at its limit', 'abc', { b: { limits: { circuits: 0 } } }, [CircuitReason.tooManyCircuits, 1]],
  ['a link at its limit', 'abc', { b: { limits: { perMemberLink: 0 } } }, [CircuitReason.tooManyCircuits, 1]],
]
for (const [name, hops, settings, told] of refusals)
  test(`refused: ${name}`, () => {
    const { network, circuit, ends } = outcome(hops, settings)
    assert.deepEqual(ends, [told])
    assert.equal(circuit.state, 'closed')
    for (const node of network.nodes.values()) assert.equal(node.circuits.circuits().length, 0, node.name)
  })

test('a client is held to 64 circuits of its link', () => {
  const network = new FakeNetwork('ab')
  const ends: number[] = []
  for (let i = 0; i < 66; i++) network.build('ab', { onEnd: (reason) => ends.push(reason) })
  network.run()
  assert.deepEqual(ends, [CircuitReason.tooManyCircuits, CircuitReason.tooManyCircuits])
  assert.equal(network.node('a').circuits.circuits().length, 64)
})

test('no reason is carried towards the exit: an entry cannot mark a circuit by the one it gives', () => {
  const { network } = outcome('abc')
  const create = network.delivered.find((item) => item.command === 1 && item.to === 'b')!
  const bytes = new Uint8Array(1404)
  bytes[0] = 0xa5
  network.deliver({ ...create, command: 3, bytes })
  network.run()
  assert.equal(network.node('b').circuits.circuits().length, 0)
  assert.equal(network.node('c').exits[0]?.ended, CircuitReason.none)
})

test('one client has a part of what is free only, however many links it makes', () => {
  const network = new FakeNetwork('ab', { a: { limits: { circuits: 512 } } })
  let refused = 0
  for (let i = 0; i < 6; i++) network.build('ab', { onEnd: () => refused++ })
  network.run()
  // Of 512, 511, 510 and 509 free circuits 1/128 is 4.
  assert.equal(network.node('a').circuits.circuits().length, 4)
  assert.equal(refused, 2)
})

test('a client is held to 32 creates a second beyond the first 64', async () => {
  const network = new FakeNetwork('ab')
  const { circuits } = network.node('a')
  const ends: number[] = []
  const build = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const circuit = network.build('ab', { onEnd: (reason) => ends.push(reason) })
      network.run()
      circuit.destroy()
      network.run()
    }
  }
  build(70)
  assert.deepEqual(ends, Array(6).fill(CircuitReason.tooManyCircuits))
  await network.clock.advance(1000)
  build(40)
  assert.equal(ends.length, 6 + 8)
  assert.equal(circuits.circuits().length, 0)
})

test('hops that are not 2 to 5 different nodes are refused by name', () => {
  const network = new FakeNetwork()
  for (const hops of ['a', 'aba', 'abcdea'])
    assert.throws(
      () => network.build(hops),
      (error) => isWeftError(error, 'E_CIRCUIT_HOPS'),
    )
})

test('destroy by the client reaches every hop and the exit', () => {
  const { network, circuit, ends } = outcome('abcd')
  circuit.destroy()
  circuit.destroy()
  network.run()
  for (const name of 'abcd') assert.equal(network.node(name).circuits.circuits().length, 0)
  assert.equal(network.node('d').exits[0]?.ended, CircuitReason.none)
  assert.equal(
    network.node('d').exits[0]?.circuit.seal(() => assert.fail('closed')),
    false,
  )
  assert.deepEqual(ends, [])
  assert.equal(network.client.circuits().length, 0)
  for (const [from, to] of ['Ca', 'ab', 'bc', 'cd'] as const) {
    assert.equal(network.link(from!, to!).circuits, 0)
    assert.equal(network.link(to!, from!).circuits, 0)
  }
})

test('destroy by the exit reaches the client with the hop, and then all others', () => {
  const { network, circuit, ends } = outcome('abcd')
  network.node('d').exits[0]?.circuit.destroy(CircuitReason.stopping)
  network.run()
  assert.deepEqual(ends, [[CircuitReason.stopping, 3]])
  assert.equal(circuit.state, 'closed')
  for (const name of 'abcd') assert.equal(network.node(name).circuits.circuits().length, 0)
})

for (const [one, two, hop] of [
  ['C', 'a', 0],
  ['a', 'b', 1],
  ['b', 'c', 2],
] as const)
  test(`the link ${one}${two} goes down: the client hears that hop ${hop} is gone`, () => {
    const { network, circuit, ends } = outcome('abc')
    network.cut(one, two)
    network.run()
    assert.deepEqual(ends, [[CircuitReason.linkLost, hop]])
    assert.equal(circuit.state, 'closed')
    for (const name of 'abc') assert.equal(network.node(name).circuits.circuits().length, 0, name)
    assert.notEqual(network.node('c').exits[0]?.ended, undefined)
  })

test('a next hop whose link goes down during extension is reported as not reached', () => {
  const network = new FakeNetwork()
  const ends: [number, number][] = []
  network.build('abc', { onEnd: (reason, hop) => ends.push([reason, hop]) })
  network.run((item) => (item.from === 'b' && item.to === 'c' ? [] : [item]))
  network.cut('b', 'c')
  network.run()
  assert.deepEqual(ends, [[CircuitReason.nextHopNotReached, 2]])
})

test('a hop that never answers: the client gives up at its deadline and says which', async () => {
  const network = new FakeNetwork()
  const ends: [number, number][] = []
  network.build('abc', { timeoutMs: 2000, onEnd: (reason, hop) => ends.push([reason, hop]) })
  const change = (item: Parameters<FakeNetwork['deliver']>[0]) => (item.to === 'b' ? [] : [item])
  network.run(change)
  await network.pass(1750, change)
  assert.deepEqual(ends, [])
  await network.pass(500, change)
  assert.deepEqual(ends, [[CircuitReason.nextHopNotReached, 1]])
  assert.equal(network.node('a').circuits.circuits().length, 0)
})

test('an idle circuit is pinged every 30 s and lives; without its client it goes after 120 s', async () => {
  const { network, circuit } = outcome('abc')
  await network.pass(300_000)
  assert.equal(circuit.state, 'ready')
  assert.equal(network.node('b').circuits.circuits().length, 1)
  const silent = (item: Parameters<FakeNetwork['deliver']>[0]) => (item.from === 'C' ? [] : [item])
  await network.pass(89_000, silent)
  assert.equal(network.node('b').circuits.circuits().length, 1)
  await network.pass(35_000, silent)
  for (const name of 'abc') assert.equal(network.node(name).circuits.circuits().length, 0, name)
  assert.equal(network.node('c').exits[0]?.ended !== undefined, true)
  assert.equal(network.node('a').circuits.nextTimeout(), undefined)
})

test('a node that stops ends its circuits on both sides and takes no more', () => {
  const { network, ends } = outcome('abc')
  network.node('b').circuits.close()
  network.run()
  assert.deepEqual(ends, [[CircuitReason.stopping, 1]])
  assert.equal(network.node('c').exits[0]?.ended, CircuitReason.none)
  network.build('abc', { onEnd: (reason, hop) => ends.push([reason, hop]) })
  network.run()
  assert.deepEqual(ends[1], [CircuitReason.stopping, 1])
})

test('extensions that wait are bounded: the oldest is given up', () => {
  const network = new FakeNetwork('abc', { a: { limits: { waiting: 3 } } })
  const ends: [number, number][] = []
  for (let i = 0; i < 5; i++) network.build('ab', { onEnd: (reason, hop) => ends.push([reason, hop]) })
  network.run((item) => (item.to === 'b' ? [] : [item]))
  assert.deepEqual(ends, [
    [CircuitReason.nextHopNotReached, 1],
    [CircuitReason.nextHopNotReached, 1],
  ])
  assert.equal(network.link('a', 'b').circuits, 3)
})

test('the keys of both directions are wiped at every place when a circuit ends', (t) => {
  const wiped = t.mock.method(Aead.prototype, 'wipe')
  const { network, circuit } = outcome('abc')
  const before = wiped.mock.callCount()
  circuit.destroy()
  network.run()
  assert.equal(wiped.mock.callCount() - before, 2 * 3 * 2)
})

test('unknown circuit ids are answered ten times a second, a destroy never', async () => {
  const { network } = outcome('ab')
  const cell = network.delivered.find((item) => item.command === 0)!
  for (let i = 0; i < 30; i++) network.deliver({ ...cell, circuitId: 2 ** 31 + i })
  assert.equal(network.queue.length, 10)
  assert.ok(network.queue.every((item) => item.command === 3 && item.bytes[0] === CircuitReason.unknownCircuit))
  network.run()
  await network.clock.advance(1000)
  network.deliver({ ...cell, circuitId: 2 ** 31 })
  assert.equal(network.queue.length, 1)
  network.queue = []
  network.deliver({ ...cell, command: 3, circuitId: 2 ** 31 })
  network.deliver({ ...network.delivered.find((item) => item.command === 2)!, circuitId: 77 })
  assert.equal(network.queue.length, 1)
})

test('a sealed session packet after the end of its link is false, not an error', () => {
  const { network, circuit } = outcome('ab')
  network.link('C', 'a').up = false
  assert.equal(circuit.seal(say(1, 'x')), false)
})
