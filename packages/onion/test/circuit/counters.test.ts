import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ClientCounts, type CountSample } from '../../src/circuit/client-counts.ts'
import { COUNTS_PER_SECOND } from '../../src/circuit/relay-circuit.ts'
import { FakeNetwork, type Item, type NodeSetting, say } from './fake-network.ts'

/** A circuit of three hops with what its hops told. */
function counted(settings: Record<string, NodeSetting> = {}) {
  const network = new FakeNetwork('abc', settings)
  const samples: CountSample[][] = [[], [], []]
  const circuit = network.build('abc', { onCounted: (hop, sample) => void samples[hop]?.push(sample) })
  network.run()
  const exit = network.node('c').exits[0]
  assert.ok(exit !== undefined)
  let number = 0
  return {
    network,
    circuit,
    samples,
    forward: (cells: number): void => {
      for (let i = 0; i < cells; i++) assert.ok(circuit.seal(say(++number, 'there')))
    },
    backward: (cells: number): void => {
      for (let i = 0; i < cells; i++) exit.circuit.seal(say(++number, 'back'))
    },
    /** What changed between the last two samples of a hop. */
    change: (hop: number) => {
      const [one, two] = (samples[hop] ?? []).slice(-2)
      assert.ok(one !== undefined && two !== undefined)
      return {
        sealed: two.sealed - one.sealed,
        sealedForHop: two.sealedForHop - one.sealedForHop,
        opened: two.opened - one.opened,
        hop: {
          opened: two.hop.opened - one.hop.opened,
          passed: two.hop.passed - one.hop.passed,
          droppedForward: two.hop.droppedForward - one.hop.droppedForward,
          came: two.hop.came - one.hop.came,
          droppedBackward: two.hop.droppedBackward - one.hop.droppedBackward,
          sent: two.hop.sent - one.hop.sent,
        },
      }
    },
  }
}

/** Drops every nth cell from one to the other. */
function losing(from: string, to: string, nth: number): (item: Item) => readonly Item[] {
  let seen = 0
  return (item) => (item.command === 0 && item.from === from && item.to === to && ++seen % nth === 0 ? [] : [item])
}

test('hops and client count the same cells where nothing is lost', () => {
  const { network, circuit, samples, forward, backward, change } = counted()
  circuit.count()
  network.run()
  for (const [hop, [sample]] of samples.entries()) {
    assert.equal(sample?.hop.opened, sample?.sealed, `${hop}`)
    assert.equal(sample?.hop.sent, sample?.opened, `${hop}`)
  }
  assert.deepEqual(
    samples.map(([sample]) => sample?.askedAt),
    [1, 2, 3],
    'the entry is asked first',
  )
  forward(100)
  backward(70)
  network.run()
  circuit.count()
  network.run()
  const hop = { droppedForward: 0, droppedBackward: 0 }
  // The questions of this round to the hop and to those before it, and its own answer and those behind it of the last round.
  assert.deepEqual(change(0), {
    sealed: 103,
    sealedForHop: 1,
    opened: 73,
    hop: { ...hop, opened: 103, passed: 102, came: 72, sent: 73 },
  })
  assert.deepEqual(change(1), {
    sealed: 102,
    sealedForHop: 1,
    opened: 72,
    hop: { ...hop, opened: 102, passed: 101, came: 71, sent: 72 },
  })
  assert.deepEqual(change(2), {
    sealed: 101,
    sealedForHop: 1,
    opened: 71,
    hop: { ...hop, opened: 101, passed: 100, came: 70, sent: 71 },
  })
  assert.deepEqual(circuit.evidence.asked, [2, 2, 2])
  assert.deepEqual(circuit.evidence.answered, [2, 2, 2])
  assert.equal(circuit.evidence.verified, 70 + 2)
  assert.equal(circuit.evidence.rejected, 0)
})

test('what is lost on a link shows between its two ends, and nowhere else, whichever cells were under way', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('Ca', 'ab', 'bc', 'cb', 'ba', 'aC'),
      fc.integer({ min: 2, max: 20 }),
      fc.integer({ min: 10, max: 80 }),
      (link, nth, cells) => {
        const { network, circuit, samples, forward, backward } = counted()
        const ask = (): void => {
          // The round may not be lost here: whether it is makes another test.
          network.run()
          circuit.count()
          network.run()
        }
        ask()
        let lost = 0
        const drop = losing(link[0]!, link[1]!, nth)
        forward(cells)
        backward(cells)
        network.run((item) => {
          const left = drop(item)
          lost += 1 - left.length
          return left
        })
        ask()
        const [a, b, c] = samples.map(([one, two]) => [one!, two!] as const)
        assert.ok(a && b && c)
        const grown = (of: readonly [CountSample, CountSample], figure: (sample: CountSample) => number): number =>
          figure(of[1]) - figure(of[0])
        const shown = {
          Ca: grown(a, ({ sealed, hop }) => sealed - hop.opened),
          ab: grown(a, ({ hop }) => hop.passed) - grown(b, ({ hop }) => hop.opened),
          bc: grown(b, ({ hop }) => hop.passed) - grown(c, ({ hop }) => hop.opened),
          aC: grown(a, ({ hop, opened }) => hop.sent - opened),
          ba: grown(b, ({ hop, opened }) => hop.sent - opened) - grown(a, ({ hop, opened }) => hop.sent - opened),
          cb: grown(c, ({ hop, opened }) => hop.sent - opened) - grown(b, ({ hop, opened }) => hop.sent - opened),
        }
        assert.deepEqual(shown, { Ca: 0, ab: 0, bc: 0, aC: 0, ba: 0, cb: 0, [link]: lost })
      },
    ),
    { numRuns: 60 },
  )
})

test('lost and doubled questions and answers, and any order of cells, leave sums that are right in the end', () => {
  fc.assert(
    fc.property(fc.infiniteStream(fc.nat(9)), (dice) => {
      const { network, circuit, samples, forward, backward, change } = counted()
      circuit.count()
      network.run()
      for (let round = 0; round < 4; round++) {
        forward(6)
        backward(6)
        circuit.count()
        // Late ones go behind the others that are under way.
        const late: Item[] = []
        network.run((item) => {
          const what = dice.next().value as number
          if (what === 0) return [item, item]
          if (what === 1) {
            late.push(item)
            return []
          }
          return [item]
        })
        network.queue.push(...late)
        network.run()
      }
      circuit.count()
      network.run()
      for (const [hop, of] of samples.entries()) {
        assert.ok(of.length >= 2)
        const [first, last] = [of[0]!, of.at(-1)!]
        samples[hop] = [first, last]
        const { sealed, opened, hop: told } = change(hop)
        assert.equal(told.opened, sealed, `there ${hop}`)
        assert.equal(told.sent, opened, `back ${hop}`)
        for (const { hop: counts, sealedAtAnswer, openedAtQuestion } of of) {
          assert.ok(counts.opened <= sealedAtAnswer)
          assert.ok(counts.sent >= openedAtQuestion)
        }
      }
      assert.deepEqual(circuit.evidence.answered, circuit.evidence.asked)
    }),
    { numRuns: 60 },
  )
})

test('an answer that is lost makes no sample, and one that comes twice makes one', () => {
  const { network, circuit, samples } = counted()
  circuit.count()
  network.run(losing('b', 'a', 1))
  assert.deepEqual(
    samples.map(({ length }) => length),
    [1, 0, 0],
  )
  circuit.count()
  network.run((item) => [item, item])
  assert.deepEqual(
    samples.map((of) => of.map(({ round }) => round)),
    [[1, 2], [2], [2]],
  )
  assert.deepEqual(circuit.evidence.answered, [2, 1, 1])
})

test('cells that a hop drops for want of room are told apart from those that a link loses', async () => {
  const { network, circuit, forward, change } = counted({ b: { bytesPerSecond: 100 * 1440 } })
  circuit.count()
  await network.pass(1_000)
  for (let i = 0; i < 10; i++) {
    forward(50)
    network.run()
    await network.pass(250)
  }
  await network.pass(10_000)
  circuit.count()
  await network.pass(2_000)
  const [before, inside] = [change(0), change(1)]
  const { queueLate, queueFull } = network.node('b').circuits.drops
  assert.ok(queueLate + queueFull > 20)
  assert.equal(inside.hop.droppedForward, queueLate + queueFull)
  assert.equal(before.hop.passed, inside.hop.opened + inside.hop.droppedForward)
})

test('cells from the next hop that wait too long are counted as dropped on the way back', async () => {
  const { network, circuit, backward, change } = counted({ b: { bytesPerSecond: 100 * 1440 } })
  circuit.count()
  await network.pass(1_000)
  for (let i = 0; i < 10; i++) {
    backward(50)
    network.run()
    await network.pass(250)
  }
  await network.pass(10_000)
  circuit.count()
  await network.pass(2_000)
  const [inside, behind] = [change(1), change(2)]
  assert.ok(inside.hop.droppedBackward > 20)
  assert.equal(inside.hop.droppedBackward, network.node('b').circuits.drops.queueLate)
  // The last answer of the last hop came behind the one of this hop.
  assert.equal(inside.hop.came, behind.hop.sent)
  assert.equal(inside.hop.sent, inside.hop.came - inside.hop.droppedBackward + 1)
})

test('a hop answers 8 questions a second, and no more', async () => {
  const { network, circuit, samples } = counted()
  for (let i = 0; i < 20; i++) circuit.count()
  network.run()
  for (const of of samples) assert.equal(of.length, COUNTS_PER_SECOND)
  await network.pass(1_000)
  for (let i = 0; i < 20; i++) circuit.count()
  network.run()
  for (const of of samples) assert.equal(of.length, 2 * COUNTS_PER_SECOND)
  assert.equal(circuit.state, 'ready')
})

test('a question is answered once, by the hop that was asked, and forgotten when 32 later ones are out', () => {
  const client = new ClientCounts(3)
  const token = (first: number): Uint8Array => new Uint8Array(8).fill(first)
  const counts = { opened: 1, passed: 0, droppedForward: 0, came: 0, droppedBackward: 0, sent: 1 }
  client.questionSent(1, 1, token(1), 10)
  assert.equal(client.answerOpened(1, token(2), counts, 20, 0), undefined)
  assert.equal(client.answerOpened(2, token(1), counts, 20, 0), undefined)
  assert.deepEqual(client.answerOpened(1, token(1), counts, 20, 0)?.hop, counts)
  assert.equal(client.answerOpened(1, token(1), counts, 20, 0), undefined)
  for (let round = 2; round <= 34; round++) client.questionSent(1, round, token(round), 30)
  assert.equal(client.answerOpened(1, token(2), counts, 40, 0), undefined)
  assert.equal(client.answerOpened(1, token(3), counts, 40, 0)?.round, 3)
  assert.deepEqual([client.asked[1], client.answered[1]], [34, 2])
})

test('a circuit that is being built, or is over, asks nothing', () => {
  const network = new FakeNetwork('abc')
  const circuit = network.build('abc')
  circuit.count()
  network.run()
  circuit.destroy()
  circuit.count()
  assert.deepEqual(circuit.evidence.asked, [0, 0, 0])
})
