import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isWeftError } from '@weft/core'
import { ChaChaPackets } from '../../src/packet/packet-aead.ts'
import { LinkCommand } from '../../src/link/link-command.ts'
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
  ['a last hop without the role', 'abc', { c: { roles: { relay: false, exit: false } } }, [CircuitReason.noRole, 2]],
  ['an exit that is full', 'abc', { c: { accept: () => false } }, [CircuitReason.tooManyCircuits, 2]],
  ['a next hop that the map does not name', 'abx', {}, [CircuitReason.unknownNextHop, 2]],
  ['a node at its limit', 'abc', { b: { limits: { circuits: 0 } } }, [CircuitReason.tooManyCircuits, 1]],
  ['a member at its limit', 'abc', { b: { limits: { perMember: 0 } } }, [CircuitReason.tooManyCircuits, 1]],
]
for (const [name, hops, settings, told] of refusals)
  test(`refused: ${name}`, () => {
    const { network, circuit, ends } = outcome(hops, settings)
    assert.deepEqual(ends, [told])
    assert.equal(circuit.state, 'closed')
    for (const node of network.nodes.values()) assert.equal(node.circuits.size, 0, node.name)
  })

test('a client is held to 64 circuits', () => {
  const network = new FakeNetwork('ab')
  const ends: number[] = []
  for (let i = 0; i < 66; i++) network.build('ab', { onEnd: (reason) => ends.push(reason) })
  network.run()
  assert.deepEqual(ends, [CircuitReason.tooManyCircuits, CircuitReason.tooManyCircuits])
  assert.equal(network.node('a').circuits.size, 64)
})

test('no reason is carried towards the exit: an entry cannot mark a circuit by the one it gives', () => {
  const { network } = outcome('abc')
  const create = network.delivered.find((item) => item.command === 1 && item.to === 'b')!
  const bytes = new Uint8Array(1404)
  bytes[0] = 0xa5
  network.deliver({ ...create, command: 3, bytes })
  network.run()
  assert.equal(network.node('b').circuits.size, 0)
  assert.equal(network.node('c').exits[0]?.ended, CircuitReason.none)
})

test('one client has a part of what is free only, however many links it makes', () => {
  const network = new FakeNetwork('ab', { a: { limits: { circuits: 512 } } })
  let refused = 0
  for (let i = 0; i < 6; i++) network.build('ab', { onEnd: () => refused++ })
  network.run()
  // Of 512, 511, 510 and 509 free circuits 1/128 is 4.
  assert.equal(network.node('a').circuits.size, 4)
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
  assert.equal(circuits.size, 0)
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
  for (const name of 'abcd') assert.equal(network.node(name).circuits.size, 0)
  assert.equal(network.node('d').exits[0]?.ended, CircuitReason.none)
  assert.equal(
    network.node('d').exits[0]?.circuit.seal(() => assert.fail('closed')),
    false,
  )
  assert.deepEqual(ends, [])
  assert.equal(network.client.size, 0)
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
  for (const name of 'abcd') assert.equal(network.node(name).circuits.size, 0)
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
    for (const name of 'abc') assert.equal(network.node(name).circuits.size, 0, name)
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
  assert.equal(network.node('a').circuits.size, 0)
})

test("a unit now and then, as a session's PING, keeps a circuit at every hop; without one it goes after 120 s", async () => {
  const { network, circuit } = outcome('abc')
  assert.equal(network.client.nextTimeout(), undefined, 'a circuit that is built has no timer of its own')
  for (let number = 0; number < 10; number++) {
    await network.pass(30_000)
    assert.ok(circuit.seal(say(number, 'ping')))
    network.run()
  }
  assert.equal(circuit.state, 'ready')
  await network.pass(119_000)
  for (const name of 'abc') assert.equal(network.node(name).circuits.size, 1, name)
  await network.pass(5_000)
  assert.equal(circuit.state, 'closed')
  for (const name of 'abc') assert.equal(network.node(name).circuits.size, 0, name)
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

test('a link to the next hop that turns silent is left for another when the client asks again', async () => {
  const network = new FakeNetwork('abc')
  const circuit = network.build('abc')
  const lost: Parameters<FakeNetwork['deliver']>[0][] = []
  network.run((item) => {
    if (item.to !== 'c') return [item]
    lost.push(item)
    return []
  })
  const silent = network.link('b', 'c')
  silent.isSilent = true
  await network.pass(750)
  assert.equal(circuit.state, 'ready')
  const used = network.link('b', 'c')
  assert.notEqual(used, silent)
  assert.deepEqual([silent.circuits, used.circuits], [0, 1])
  assert.deepEqual(
    network.delivered.filter((item) => item.to === 'c').map(({ link, command }) => [link, command]),
    [[used.other, LinkCommand.create]],
  )
  // An answer that comes late, on the id that was left: the next hop is to forget that circuit.
  const [{ circuitId }] = lost as [Parameters<FakeNetwork['deliver']>[0]]
  const created = network.delivered.find((item) => item.from === 'c' && item.command === LinkCommand.created)!
  network.deliver({ ...created, link: silent, circuitId })
  assert.deepEqual(
    network.queue.map((item) => [item.link, item.command, item.circuitId]),
    [[silent.other, LinkCommand.destroy, circuitId]],
  )
  network.run()
  assert.equal(network.node('c').circuits.size, 1)
  assert.equal(circuit.state, 'ready')
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
  const wiped = t.mock.method(ChaChaPackets.prototype, 'wipe')
  const { network, circuit } = outcome('abc')
  const before = wiped.mock.callCount()
  circuit.destroy()
  network.run()
  // Nothing was sent, so that the first two hops have their early keys yet.
  assert.equal(wiped.mock.callCount() - before, 2 * 3 * 2 + 2)
})

test('unknown circuit ids are answered ten times a second, a destroy never', async () => {
  const { network } = outcome('ab')
  const cell = network.delivered.findLast((item) => item.command === 0)!
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
