import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LinkCommand } from '../../src/link/link-command.ts'
import type { ClientCircuit } from '../../src/circuit/client-circuit.ts'
import { CircuitReason } from '../../src/circuit/reasons.ts'
import { MAX_WAITING_CELLS } from '../../src/queue/queue-limits.ts'
import { FakeNetwork, type Item, say } from './fake-network.ts'

/** As many links as a key may have. */
const PARTS = 16

/** Asks for circuits at entry a over so many links of one client's key, in turn. */
function ask(network: FakeNetwork, count: number, parts: number, client = 'C', hops = 'ab') {
  const ends: number[] = []
  const circuits = Array.from({ length: count }, (_, at) =>
    network.build(hops, { link: network.link(client, 'a', at % parts), onEnd: (reason) => ends.push(reason) }),
  )
  return { ends, circuits }
}

const refused = (count: number): number[] => Array.from({ length: count }, () => CircuitReason.tooManyCircuits)

for (const parts of [2, PARTS])
  test(`${parts} links of a client's key have the circuits of one together, and another key has its own`, () => {
    const network = new FakeNetwork('ab', { a: { limits: { perClient: 6 } } })
    const first = ask(network, 4, 1)
    network.run()
    assert.deepEqual(first.ends, [])
    const { ends } = ask(network, 2 * PARTS, parts)
    network.run()
    assert.deepEqual(ends, refused(2 * PARTS - 2))
    const other = ask(network, 7, 1, 'D')
    network.run()
    assert.deepEqual(other.ends, refused(1))
    assert.equal(network.node('a').circuits.size, 12)
  })

test('the part of what is free that a client may have is that of its key', () => {
  const network = new FakeNetwork('ab', { a: { limits: { circuits: 512 } } })
  const { ends } = ask(network, PARTS, PARTS)
  network.run()
  // Of 512, 511, 510 and 509 free circuits 1/128 is 4.
  assert.deepEqual(ends, refused(PARTS - 4))
  const other = ask(network, PARTS, PARTS, 'D')
  network.run()
  assert.deepEqual(other.ends, refused(PARTS - 4))
})

test('16 links of a key have the creates a second of one, and another key has its own', async () => {
  const network = new FakeNetwork('ab')
  const build = (count: number, client: string): number => {
    let refusals = 0
    for (let at = 0; at < count; at++) {
      const { ends, circuits } = ask(network, 1, 1, client)
      network.run()
      refusals += ends.length
      circuits[0]?.destroy()
      // The next one comes over another link.
      network.run()
      network.cut(client, 'a')
    }
    return refusals
  }
  assert.equal(build(70, 'C'), 6)
  assert.equal(build(64, 'D'), 0)
  await network.clock.advance(1_000)
  assert.equal(build(40, 'C'), 8)
})

test('16 links of a key have one line of creates: what is beyond it is refused, and another key has the second turn', () => {
  const network = new FakeNetwork('ab', { a: { limits: { waitingPerClient: 8 } } })
  network.works = false
  ask(network, 2 * PARTS, PARTS)
  ask(network, 1, 1, 'D')
  network.run((item) => (item.to === 'a' ? [item] : []))
  const { circuits } = network.node('a')
  assert.equal(circuits.waiting, 9)
  assert.equal(network.delivered.filter(({ command }) => command === LinkCommand.create).length, 2 * PARTS + 1)
  circuits.work()
  const answered = network.queue.filter(({ to }) => to !== 'b')
  assert.deepEqual(
    answered.map(({ to, command }) => [to, command]),
    [
      ['C', LinkCommand.created],
      ['D', LinkCommand.created],
    ],
  )
  // A link that goes takes its own along, and no other's.
  network.queue = []
  network.cut('C', 'a', 1)
  assert.equal(circuits.waiting, 6)
  network.cut('C', 'a', 0)
  assert.deepEqual([circuits.waiting, circuits.size], [6, 1])
  while (circuits.work());
  assert.deepEqual([circuits.waiting, circuits.size], [0, 7])
})

for (const parts of [2, PARTS])
  test(`a member with ${parts} links to a relay has the circuits of one, and another member has its own`, () => {
    const network = new FakeNetwork('abd', { b: { limits: { perMember: 4 } }, a: { parts }, d: { parts } })
    const { ends } = ask(network, PARTS, 1)
    network.run()
    assert.deepEqual(ends, refused(PARTS - 4))
    assert.equal(network.node('b').circuits.size, 4)
    const others: number[] = []
    for (let at = 0; at < 5; at++)
      network.build('db', { link: network.link('C', 'd'), onEnd: (reason) => others.push(reason) })
    network.run()
    assert.deepEqual(others, refused(1))
    assert.equal(network.node('b').circuits.size, 8)
  })

test('a node leads to a member no more circuits than that would take of it, over all links that both have', () => {
  const network = new FakeNetwork('abc', { a: { limits: { perMember: 4 }, parts: PARTS } })
  const { ends } = ask(network, PARTS, 1)
  network.run()
  assert.deepEqual(ends, refused(PARTS - 4))
  assert.equal(network.node('b').circuits.size, 4)
})

test('a member has one line of creates at a relay, whatever links it has', () => {
  const network = new FakeNetwork('abc', { b: { limits: { waitingPerMember: 5 } }, a: { parts: PARTS } })
  ask(network, PARTS, 1)
  const answers: Item[] = []
  network.run((item) => {
    if (item.to === 'a' && item.from === 'b') answers.push(item)
    // What b is to answer waits.
    network.works = item.to !== 'b'
    return [item]
  })
  assert.equal(network.node('b').circuits.waiting, 5)
  assert.equal(answers.filter(({ bytes }) => bytes[0] === CircuitReason.tooManyCircuits).length, PARTS - 5)
})

test('at the limit a circuit may still go over from a silent link to another one of the same member', async () => {
  const network = new FakeNetwork('abc', { a: { limits: { perMember: 2 } } })
  const { circuits } = ask(network, 2, 1)
  network.run((item) => (item.to === 'b' ? [] : [item]))
  const silent = network.link('a', 'b')
  silent.isSilent = true
  await network.pass(750)
  assert.deepEqual(
    circuits.map(({ state }) => state),
    ['ready', 'ready'],
  )
  assert.deepEqual([silent.circuits, network.link('a', 'b').circuits], [0, 2])
})

test('what the circuits of a key have waiting towards others leaves room, over however many links they came', async () => {
  const network = new FakeNetwork('ab', { a: { bytesPerSecond: 40 * 1440 } })
  const { circuits } = ask(network, PARTS, PARTS)
  const [other] = ask(network, 1, 1, 'D').circuits
  await network.pass(2_000)
  const { queue } = network.node('a').circuits
  for (let number = 0; queue.size < MAX_WAITING_CELLS && number < 300; number++) {
    for (const circuit of circuits) circuit.seal(say(number, 'much'))
    network.run()
  }
  // Four fifths, as of one link.
  const most = Math.ceil((MAX_WAITING_CELLS * 4) / 5)
  assert.ok(queue.size >= most - 1 && queue.size <= most, `${queue.size}`)
  for (let number = 0; number < 200; number++) other?.seal(say(number, 'little'))
  network.run()
  assert.ok(queue.size >= most + 199, `${queue.size}`)
})

test('whatever comes, goes and is lost, each key has all of its places again in the end, and never more', () => {
  const client = fc.constantFrom('C', 'D')
  const part = fc.nat(2)
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ build: client, part, far: fc.boolean() }) },
    { weight: 3, arbitrary: fc.record({ destroy: fc.nat(20) }) },
    { weight: 6, arbitrary: fc.record({ send: fc.nat(20) }) },
    { weight: 2, arbitrary: fc.record({ cut: client, part }) },
    { weight: 1, arbitrary: fc.record({ cutMember: fc.constantFrom('ab', 'bc'), part }) },
    { weight: 1, arbitrary: fc.record({ silence: fc.constantFrom('ab', 'ba', 'bc'), part }) },
    { weight: 3, arbitrary: fc.record({ lose: fc.constantFrom(2, 3, 5, Infinity, Infinity) }) },
    { weight: 1, arbitrary: fc.record({ wait: fc.integer({ min: 250, max: 2_000 }) }) },
    { weight: 2, arbitrary: fc.record({ work: fc.boolean() }) },
  )
  const [perClient, perMember] = [3, 5]
  const limits = { perClient, perMember, waitingPerClient: 2, waitingPerMember: 3, createsPerSecond: 1e6, waiting: 4 }
  return fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const setting = { limits, parts: 3, bytesPerSecond: 40 * 1440 }
      const network = new FakeNetwork('abc', { a: setting, b: setting, c: setting })
      const all: ClientCircuit[] = []
      let number = 0
      const send = (circuit: ClientCircuit | undefined): void => {
        for (let count = 0; count < 20; count++) circuit?.seal(say(++number, 'waits'))
        for (const name of ['b', 'c'])
          for (const exit of network.node(name).exits)
            for (let count = 0; count < 5; count++) exit.circuit.seal(say(++number, 'back'))
      }
      const circuits = (name: string): number => network.node(name).circuits.size
      for (const each of steps) {
        if ('build' in each)
          all.push(network.build(each.far ? 'abc' : 'ab', { link: network.link(each.build, 'a', each.part) }))
        else if ('destroy' in each) all[each.destroy % all.length]?.destroy()
        else if ('send' in each) send(all[each.send % all.length])
        else if ('cut' in each) network.cut(each.cut, 'a', each.part)
        else if ('cutMember' in each) network.cut(each.cutMember[0]!, each.cutMember[1]!, each.part)
        else if ('silence' in each) network.link(each.silence[0]!, each.silence[1]!, each.part).isSilent = true
        else if ('wait' in each) await network.pass(each.wait)
        else if ('work' in each) network.works = each.work
        else {
          let count = 0
          network.run((item) => (++count % each.lose === 0 ? [] : [item]))
        }
        assert.ok(circuits('a') <= 2 * perClient && circuits('b') <= perMember && circuits('c') <= perMember)
      }
      network.works = true
      for (const circuit of all) circuit.destroy()
      for (const { circuits: relay } of network.nodes.values()) while (relay.work());
      // What nobody told its end is idle by then.
      await network.pass(125_000)
      assert.deepEqual([circuits('a'), circuits('b'), circuits('c'), network.client.size], [0, 0, 0, 0])
      for (const { circuits: relay } of network.nodes.values())
        assert.deepEqual([relay.queue.size, relay.queue.peers], [0, 0])
      for (const name of ['C', 'D']) {
        const again = ask(network, PARTS, 3, name)
        network.run()
        assert.deepEqual([circuits('a'), circuits('b')], [perClient, perClient])
        for (const circuit of again.circuits) circuit.destroy()
        await network.pass(250)
      }
      for (const name of ['C', 'D']) {
        ask(network, PARTS, 3, name)
        network.run()
      }
      assert.deepEqual([circuits('a'), circuits('b')], [perMember, perMember])
    }),
    { numRuns: 60 },
  )
})
