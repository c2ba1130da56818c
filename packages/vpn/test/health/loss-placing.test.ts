import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tryEven, tryLoss } from './loss-trials.ts'
import { SimulatedWay } from './simulated-way.ts'

for (const link of [0, 1, 2])
  test(`5 % lost on link ${link} at 200 cells a second is placed there within 2 s, in either direction and in both`, () => {
    for (const directions of ['forward', 'backward', 'both'] as const)
      for (let trial = 0; trial < 4; trial++) {
        const { isFound, wrong } = tryLoss(100 * link + trial, link, directions)
        assert.ok(isFound, `${directions} ${trial}`)
        assert.deepEqual(wrong, [], `${directions} ${trial}`)
      }
  })

test('nothing is placed where nothing is lost, and where all links lose 1 % alike', () => {
  assert.equal(tryEven(1, 0, 5_000), 0)
  assert.equal(tryEven(2, 0.01, 40_000), 0)
})

test('cells that overtake each other, and lost answers, make no loss and no liar', () => {
  const way = new SimulatedWay(5)
  for (const profiles of way.profiles)
    for (const direction of ['forward', 'backward'] as const) {
      profiles[direction].late = 0.2
      profiles[direction].lateMs = 30
    }
  way.run(10_000)
  const { losses, contradictions, answered } = way.health.evidence(way.circuit.evidence, way.now)
  assert.deepEqual([losses, contradictions], [[], []])
  assert.ok((answered[2] ?? 0) > 15)
})

test('loss that is placed has its figures, makes the hop yellow, is told again as long as it lasts, and is over some seconds after its end', () => {
  const way = new SimulatedWay(9)
  way.run(2_000)
  way.profiles[1]!.forward.loss = 0.05
  way.run(6_000)
  const [, relay] = way.health.status(way.now)
  assert.equal(relay?.health, 'yellow')
  assert.match(
    relay?.reason ?? '',
    /^\d\.\d % of packets lost towards the exit, on the link before it.*\(bound 2\), for \d s$/,
  )
  assert.ok(Math.abs((relay?.linkLoss.forward ?? 0) - 5) < 3)
  assert.equal(relay?.linkLoss.backward, 0)
  const { losses } = way.health.evidence(way.circuit.evidence, way.now)
  assert.deepEqual(
    losses.map(({ part, hop, direction }) => [part, hop, direction]),
    [['link', 1, 'forward']],
  )
  assert.ok(losses[0]!.chance <= 1e-6)
  assert.ok((relay?.lossPercent ?? 0) > 1 && (relay?.lossPercent ?? 0) < 5)
  way.profiles[1]!.forward.loss = 0
  way.run(9_000)
  assert.deepEqual(way.health.evidence(way.circuit.evidence, way.now).losses, [])
  way.run(7_000)
  assert.deepEqual(
    way.health.status(way.now).map(({ health, reason }) => [health, reason]),
    [1, 2, 3].map(() => ['green', '']),
  )
})

test('evidence is plain data that can go between threads', () => {
  const way = new SimulatedWay(3)
  way.profiles[2]!.backward.loss = 0.1
  way.run(3_000)
  const evidence = way.health.evidence(way.circuit.evidence, way.now)
  assert.deepEqual(structuredClone(evidence), evidence)
  const [entry, relay, exit] = evidence.opened
  assert.ok(
    entry! > relay! && relay! > exit! && exit! > 400,
    'the answers of a hop come under the layers before it alone',
  )
  assert.equal(evidence.verified, exit)
  assert.ok(evidence.asked[0]! >= 6 && evidence.answered[0]! >= 6)
})
