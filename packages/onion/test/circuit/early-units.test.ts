import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@weft/core'
import fc from 'fast-check'
import { readClientMessage, writeClientMessage } from '../../src/circuit/client-message.ts'
import { CreateQueue } from '../../src/circuit/create-queue.ts'
import { CircuitReason } from '../../src/circuit/reasons.ts'
import { LinkCommand } from '../../src/link/link-command.ts'
import { type FakeLink, FakeNetwork, type Item, say } from './fake-network.ts'

const { relay, create, destroy } = LinkCommand

/** Delivers what is on its way, and nothing that this brings about: the time of one link. */
function wave(network: FakeNetwork): void {
  for (const item of network.queue.splice(0)) network.deliver(item)
}

for (const hops of ['ab', 'abc', 'abcde'])
  test(`a circuit of ${hops.length} hops is there after one round trip`, () => {
    const network = new FakeNetwork()
    const circuit = network.build(hops)
    for (let waves = 1; waves < 2 * hops.length; waves++) {
      wave(network)
      assert.equal(circuit.state, 'building', `${waves}`)
    }
    wave(network)
    assert.equal(circuit.state, 'ready')
    assert.equal(network.queue.length, 0)
  })

test('early units that overtake the create are sent again with it, at every hop', async () => {
  for (const overtaken of ['Ca', 'ab', 'bc', 'cd']) {
    const network = new FakeNetwork()
    const circuit = network.build('abcd')
    let held: Item | undefined
    network.run((item) => {
      assert.notEqual(item.command, destroy)
      if (item.from + item.to !== overtaken) return [item]
      if (held === undefined && item.command === create) {
        held = item
        return []
      }
      return [item]
    })
    assert.equal(circuit.state, 'building')
    if (held !== undefined) network.deliver(held)
    network.run()
    await network.pass(1_000)
    assert.equal(circuit.state, 'ready', overtaken)
    for (const name of 'abcd') assert.equal(network.node(name).circuits.size, 1, name)
    assert.equal(network.node('d').exits.length, 1)
  }
})

test('early units wait with a create that waits for its handshake, and go with it', () => {
  const network = new FakeNetwork()
  network.works = false
  const circuit = network.build('abc')
  network.run()
  const { circuits } = network.node('a')
  assert.deepEqual([circuits.waiting, circuits.drops.unopened], [1, 0])
  assert.equal(network.delivered.filter(({ from }) => from === 'a').length, 0)
  network.works = true
  while (circuits.work());
  assert.deepEqual(
    network.queue.map(({ to, command }) => [to, command]),
    [
      ['C', LinkCommand.created],
      ['b', create],
      ['b', relay],
    ],
  )
  network.run()
  assert.equal(circuit.state, 'ready')
})

test('all early units of the longest circuit wait with its create', () => {
  const network = new FakeNetwork()
  network.works = false
  const circuit = network.build('abcde')
  network.run()
  network.works = true
  for (const name of 'abcde') {
    while (network.node(name).circuits.work());
    network.run()
  }
  assert.equal(circuit.state, 'ready')
})

test('a hop that does not take early keys says so, and is asked again at once', () => {
  for (const wary of ['a', 'b', 'ab', 'abc']) {
    const network = new FakeNetwork(
      'abcd',
      Object.fromEntries(Array.from(wary, (name) => [name, { isFirstUse: false }])),
    )
    const circuit = network.build('abcd')
    network.run()
    assert.equal(circuit.state, 'ready', wary)
    assert.equal(network.node('d').exits.length, 1)
    circuit.seal(say(1, 'up'))
    network.run()
    assert.deepEqual(network.node('d').exits[0]?.packets, [[1, 'up']])
  }
})

test('what a hop does not answer is told from what it does not know: a ping of a circuit that its exit lost is answered', () => {
  const network = new FakeNetwork()
  const ends: [number, number][] = []
  const circuit = network.build('abc', { onEnd: (reason, hop) => ends.push([reason, hop]) })
  network.run()
  network.node('c').exits[0]?.circuit.destroy(CircuitReason.none)
  network.run((item) => (item.command === destroy ? [] : [item]))
  assert.equal(network.node('c').circuits.size, 0)
  circuit.ping(2)
  network.run()
  assert.deepEqual(ends, [[CircuitReason.unknownCircuit, 2]])
})

test('who sends a recorded create and its early units again has nobody called: not after its hop forgot, nor after that was started anew', async () => {
  for (const how of ['flush', 'restart'] as const) {
    const settings = { b: { limits: { seenClientKeys: 4 }, isFirstUse: how === 'flush' } }
    const network = new FakeNetwork('abc', settings)
    if (how === 'restart') await network.pass(100_000)
    const circuit = network.build('abc')
    const recorded: Item[] = []
    network.run((item) => {
      if (item.from === 'a' && item.to === 'b') recorded.push(item)
      return [item]
    })
    assert.equal(circuit.state, 'ready')
    assert.deepEqual(
      recorded.map(({ command }) => command),
      [create, relay],
    )
    circuit.destroy()
    network.run()
    if (how === 'flush') {
      for (let at = 0; at < 10; at++) {
        const other = network.build('abc')
        network.run()
        other.destroy()
        network.run()
      }
    } else network.restart('b')
    const before = network.delivered.length
    for (const item of recorded) network.deliver({ ...item, circuitId: item.circuitId + 1 })
    network.run()
    const after = network.delivered.slice(before)
    assert.ok(
      after.some(({ from, command }) => from === 'b' && command === LinkCommand.created),
      `it was forgotten: ${how}`,
    )
    assert.equal(after.filter(({ to }) => to === 'c').length, 0, how)
  }
})

test('a hop takes each early unit once, and none once the client has its answer', async () => {
  const network = new FakeNetwork()
  const circuit = network.build('abc')
  const early: Item[] = []
  network.run((item) => {
    if (item.from === 'C' && item.command === relay) early.push(item)
    return [item]
  })
  assert.equal(early.length, 2)
  const { drops } = network.node('a').circuits
  for (const item of early) network.deliver(item)
  assert.deepEqual([drops.unopened, network.queue.length], [2, 0])
  circuit.seal(say(1, 'up'))
  network.run()
  assert.deepEqual(network.node('c').exits[0]?.packets, [[1, 'up']])
  for (const item of early) network.deliver(item)
  assert.deepEqual([drops.unopened, network.queue.length], [4, 0])
  assert.equal(circuit.state, 'ready')
})

test('what a hop says before the one in front of it was heard is dropped, and comes when both are asked again', async () => {
  const network = new FakeNetwork()
  const circuit = network.build('abc')
  // The answer of b is lost, so that c is asked for by an early unit alone.
  network.run((item) => (item.from === 'b' && item.command === LinkCommand.created ? [] : [item]))
  assert.equal(network.node('b').circuits.size, 1)
  assert.equal(network.node('c').circuits.size, 1)
  assert.equal(circuit.state, 'building')
  assert.equal(network.node('a').circuits.drops.outOfPlace, 1)
  await network.pass(1_000)
  assert.equal(circuit.state, 'ready')
  assert.equal(network.node('c').exits.length, 1)
})

test('a hop whose next hop refuses tells the client which and why, as soon as the refusal is there', () => {
  const network = new FakeNetwork('abcd', { c: { limits: { circuits: 0 } } })
  const ends: [number, number][] = []
  network.build('abcd', { onEnd: (reason, hop) => ends.push([reason, hop]) })
  network.run()
  assert.deepEqual(ends, [[CircuitReason.tooManyCircuits, 2]])
  for (const name of 'abcd') assert.equal(network.node(name).circuits.size, 0, name)
})

test('a create that waits keeps as many early units as a build has, and gives them up with its link', () => {
  const network = new FakeNetwork()
  const link: FakeLink = network.link('C', 'a')
  const queue = new CreateQueue(4)
  const early: Uint8Array[] = []
  const hash = new Uint8Array(32)
  queue.add({ link, isMember: false, circuitId: 5, depth: 0, message: new Uint8Array(1), hash, early })
  const body = new Uint8Array(1404)
  for (let at = 0; at < 10; at++) {
    body.fill(at)
    assert.ok(queue.keepCell(link, 5, body))
  }
  assert.deepEqual(
    early.map((kept) => [kept.length, kept[0]]),
    [
      [1404, 0],
      [1404, 1],
      [1404, 2],
      [1404, 3],
    ],
  )
  assert.equal(queue.keepCell(link, 6, body), false)
  assert.equal(queue.keepCell(network.link('D', 'a'), 5, body), false)
  queue.drop(link)
  assert.equal(queue.keepCell(link, 5, body), false)
})

test("a client's message is purpose and offer, and to a hop that others follow perhaps a key: nothing else is taken", () => {
  const early = { key: seededRandom(3).bytes(32), time: 0xfedc }
  for (const message of [
    { purpose: 0, offer: 3, early },
    { purpose: 0, offer: 1, early: undefined },
    { purpose: 1, offer: 3, early: undefined },
  ] as const)
    assert.deepEqual(readClientMessage(writeClientMessage(message)), message)
  assert.equal(readClientMessage(writeClientMessage({ purpose: 1, offer: 3, early })), undefined)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 255 }), (bytes) => {
      const message = readClientMessage(bytes)
      const taken = bytes.length === 36 ? bytes[0] === 0 : bytes.length === 2 && (bytes[0] ?? 2) <= 1
      assert.equal(message !== undefined, taken)
      if (message !== undefined) assert.deepEqual(writeClientMessage(message), bytes)
    }),
  )
})

test('whatever of a build is lost, doubled and comes out of order, in the end there is one circuit, and it carries packets', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.integer({ min: 2, max: 5 }), async (seed, length) => {
      const network = new FakeNetwork()
      const random = seededRandom(seed)
      const circuit = network.build('abcde'.slice(0, length), { timeoutMs: 60_000 })
      const held: Item[] = []
      const change = (item: Item): readonly Item[] => {
        const [fate] = random.bytes(1) as Uint8Array & [number]
        if (fate < 50) return []
        if (fate < 80) return [item, item]
        if (fate > 100) return [item]
        held.push(item)
        return held.length > 2 ? held.splice(0) : []
      }
      network.run(change)
      for (let time = 0; time < 120 && circuit.state === 'building'; time++) await network.pass(500, change)
      assert.equal(circuit.state, 'ready')
      const last = 'abcde'[length - 1] as string
      assert.equal(network.node(last).exits.length, 1)
      network.queue.push(...held)
      network.run()
      assert.ok(circuit.seal(say(1, 'up')))
      network.run()
      assert.deepEqual(network.node(last).exits[0]?.packets, [[1, 'up']])
    }),
    { numRuns: 60 },
  )
})
