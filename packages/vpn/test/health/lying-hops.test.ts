import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CountSample, HopCounts } from '@weft/onion'
import type { LegEvidence } from '../../src/health/leg-evidence.ts'
import { HopClaims } from '../../src/health/hop-claims.ts'
import { type Liar, SimulatedWay } from './simulated-way.ts'

/** A hop that says other numbers of itself than it counted. */
function lying(hop: number, change: (counts: HopCounts, way: SimulatedWay) => Partial<HopCounts>) {
  return (way: SimulatedWay): Liar =>
    (at, sample) =>
      at === hop ? { ...sample, hop: { ...sample.hop, ...change(sample.hop, way) } } : sample
}

function evidenceAfter(
  ms: number,
  make: (way: SimulatedWay) => Liar,
  prepare?: (way: SimulatedWay) => void,
): LegEvidence {
  const way = new SimulatedWay(31)
  prepare?.(way)
  way.liar = make(way)
  way.run(ms)
  return way.health.evidence(way.circuit.evidence, way.now)
}

const honest = (): Liar => (_, sample) => sample

/** The relay drops a tenth of what it should pass on: to the client as if the link behind it did. */
const dropping = (way: SimulatedWay): void => void (way.profiles[2]!.forward.loss = 0.1)

function lossesOf({ losses }: LegEvidence): [string, number, string][] {
  return losses.map(({ part, hop, direction }) => [part, hop, direction])
}

test('a hop that says that it passed on what it dropped is one end of the link that is named', () => {
  assert.deepEqual(lossesOf(evidenceAfter(3_000, honest, dropping)), [['link', 2, 'forward']])
})

test('a hop that says that what it dropped never came is one end of the link that is named', () => {
  const shifting = lying(1, (counts, way) => ({
    opened: counts.opened - way.lost[2]!.forward,
    passed: counts.passed - way.lost[2]!.forward,
  }))
  const evidence = evidenceAfter(3_000, shifting, dropping)
  assert.deepEqual(lossesOf(evidence), [['link', 1, 'forward']])
})

test('a hop that keeps what it opened and says so is named itself', () => {
  const keeping = lying(1, (counts, way) => ({ passed: counts.passed - way.lost[2]!.forward }))
  assert.deepEqual(lossesOf(evidenceAfter(3_000, keeping, dropping)), [['hop', 1, 'forward']])
})

test('a hop that denies what came to it, and passes all on, is found by what its neighbour has', () => {
  // A tenth of it.
  const denying = lying(1, ({ opened, passed }) => ({
    opened: Math.floor(0.9 * opened),
    passed: Math.floor(0.9 * passed),
  }))
  const { contradictions } = evidenceAfter(9_000, denying)
  assert.ok(contradictions.length > 0)
  for (const { hops } of contradictions) assert.deepEqual(hops, [1, 2])
})

test('a hop that invents cells is found by the next one and the one before, never a third', () => {
  for (const hop of [0, 1, 2]) {
    const inventing = lying(hop, ({ opened, passed, came, sent }) => ({
      opened: opened + 1_000,
      passed: passed + 1_000,
      came: came + 1_000,
      sent: sent + 1_000,
    }))
    const { contradictions } = evidenceAfter(2_000, inventing)
    assert.ok(contradictions.some(({ hops }) => hops.length === 1 && hops[0] === hop))
    for (const { hops } of contradictions) assert.ok(hops.includes(hop), String(hops))
  }
})

test('what cannot be true makes the hop red, with the reason', () => {
  const way = new SimulatedWay(31)
  way.liar = lying(2, ({ opened }) => ({ opened: opened + 500 }))(way)
  way.run(1_500)
  const [entry, relay, exit] = way.health.status(way.now)
  assert.equal(exit?.health, 'red')
  assert.match(
    exit?.reason ?? '',
    /^its figures cannot be true: it says that it opened \d+ cells, of \d+ that were sent; for \d s$/,
  )
  assert.notEqual(entry?.health, 'red')
  assert.notEqual(relay?.health, 'red')
})

const COUNTS: HopCounts = { opened: 100, passed: 90, droppedForward: 0, came: 80, droppedBackward: 2, sent: 85 }

function sample(change: Partial<Omit<CountSample, 'hop'>> & { hop?: Partial<HopCounts> }): CountSample {
  return {
    round: 1,
    askedMs: 0,
    answeredMs: 10,
    askedAt: 1,
    answeredAt: 2,
    sealed: 100,
    sealedAtAnswer: 110,
    sealedForHop: 10,
    opened: 85,
    openedAtQuestion: 80,
    padding: 0,
    ...change,
    hop: { ...COUNTS, ...change.hop },
  }
}

test('each thing that an honest hop never says is found, and the nearest that it may say is not', () => {
  const alone = (change: Parameters<typeof sample>[0]) => new HopClaims(3).add(1, sample(change))
  const cases: readonly [Partial<HopCounts>, Partial<HopCounts>][] = [
    [{ opened: 111 }, { opened: 110 }],
    [{ sent: 79 }, { sent: 80 }],
    [{ passed: 101 }, { passed: 100 }],
    [{ droppedBackward: 81 }, { droppedBackward: 17 }],
    [{ came: 88 }, { came: 87 }],
    [{ sent: 101 }, { sent: 100 }],
  ]
  for (const [lie, truth] of cases) {
    assert.deepEqual(alone({ hop: lie })?.hops, [1], JSON.stringify(lie))
    assert.equal(alone({ hop: truth }), undefined, JSON.stringify(truth))
  }
})

test('a number may be smaller than in an answer that came after the question was sealed, and in no other', () => {
  const before = sample({ askedAt: 1, answeredAt: 4, hop: { opened: 105 } })
  for (const [askedAt, isLie] of [
    [3, false],
    [5, true],
  ] as const) {
    const claims = new HopClaims(3)
    claims.add(1, before)
    const found = claims.add(1, sample({ askedAt, answeredAt: 9, hop: { opened: 104 } }))
    assert.equal(found !== undefined, isLie)
    if (isLie) assert.match(found?.what ?? '', /from 105 back to 104/)
  }
})
