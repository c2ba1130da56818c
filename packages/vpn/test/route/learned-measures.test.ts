import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import fc from 'fast-check'
import { HEALTH_KNOWN_MS, LearnedMeasures } from '../../src/route/learned-measures.ts'
import type { HopStatus } from '../../src/vpn.ts'

const id = (number: number): DidKey => `did:key:z6Mk${number}` as DidKey
const hop = (number: number, health: HopStatus['health'], latencyMs?: number) => ({
  node: id(number),
  latencyMs,
  health,
})

test('what is kept is bounded, and the oldest goes first', () => {
  const learned = new LearnedMeasures(new VirtualClock(), () => true)
  for (let at = 0; at < 10_000; at++) learned.learn([hop(at, 'red', 5), hop(at + 20_000, 'red', 6)])
  const { health, latencyMs, pairMs } = learned.measures
  assert.deepEqual([health.size, latencyMs.size, pairMs.size], [4_096, 4_096, 4_096])
  assert.deepEqual(
    [health.has(id(9_999)), health.has(id(0)), pairMs.get(id(9_999))],
    [true, false, new Map([[id(29_999), 6]])],
  )
})

test('each colour is that of the last leg for as long as it is known, and no entry has that of what is behind it', async () => {
  const colour = fc.constantFrom('green', 'yellow', 'red', 'unknown')
  const look = fc.record({
    ms: fc.integer({ min: 0, max: 200_000 }),
    nodes: fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { minLength: 3, maxLength: 3 }),
    colours: fc.array(colour, { minLength: 3, maxLength: 3 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(look, { maxLength: 20 }), async (looks) => {
      const clock = new VirtualClock()
      const learned = new LearnedMeasures(clock, (node) => node !== id(9))
      const expected = new Map<DidKey, { colour: string; at: number }>()
      for (const { ms, nodes, colours } of looks) {
        await clock.advance(ms)
        learned.learn(nodes.map((node, at) => hop(node, colours[at]!)))
        const at = clock.monotonic()
        const worst = ['unknown', 'green', 'yellow', 'red']
        const [entry, relay, exit] = colours as [string, string, string]
        const both = worst.indexOf(exit) > worst.indexOf(relay) ? exit : relay
        for (const [index, told] of [entry, both, exit].entries())
          if (told !== 'unknown' && nodes[index] !== 9) expected.set(id(nodes[index]!), { colour: told, at })
        learned.forgetOld()
        for (const [node, known] of expected) if (at - known.at >= HEALTH_KNOWN_MS) expected.delete(node)
        assert.deepEqual(
          new Map(learned.measures.health),
          new Map(Array.from(expected, ([node, known]) => [node, known.colour])),
        )
      }
    }),
    { numRuns: 100 },
  )
})
