import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LegSilence } from '../../src/engine/leg-silence.ts'

/** Looks each 100 ms from `from` to `to`; the ms at which what was found changed. */
function found(silence: LegSilence, from: number, to: number, inFlight = 1, isUnreachable = false): [number, string][] {
  const all: [number, string][] = []
  for (let now = from; now <= to; now += 100) {
    const is = silence.look(now, inFlight, isUnreachable)
    if (is !== (all.at(-1)?.[1] ?? 'heard')) all.push([now, is])
  }
  return all
}

test('silence counts from when something was due: 0.6 s until it is suspect, 5 s until it is dead, 1.5 over an unreachable hop', () => {
  const silence = new LegSilence()
  silence.heard(0)
  assert.deepEqual(found(silence, 0, 60_000, 0), [])
  assert.deepEqual(found(silence, 60_100, 66_000), [
    [60_800, 'suspect'],
    [65_200, 'dead'],
  ])
  const other = new LegSilence()
  other.heard(0)
  assert.deepEqual(found(other, 100, 2_000, 1, true), [
    [800, 'suspect'],
    [1_700, 'dead'],
  ])
})

test('a question that was asked at times of its own counts once its answer should have come, and no longer than it is out', () => {
  const silence = new LegSilence()
  silence.heard(0)
  const looks = (from: number, to: number, openMs: number | undefined): [number, string][] => {
    const all: [number, string][] = []
    for (let now = from; now <= to; now += 100) {
      const is = silence.look(now, 0, false, openMs)
      if (is !== (all.at(-1)?.[1] ?? 'heard')) all.push([now, is])
    }
    return all
  }
  assert.deepEqual(looks(100, 900, 300), [])
  assert.deepEqual(looks(1_000, 6_000, 300), [
    [1_100, 'suspect'],
    [5_500, 'dead'],
  ])
  silence.heard(6_000)
  assert.deepEqual(looks(6_100, 20_000, undefined), [])
  assert.deepEqual(looks(20_100, 20_700, 0), [])
  assert.deepEqual(looks(20_800, 20_800, 0), [[20_800, 'suspect']])
})

test('a sign is wanted ever more rarely while open streams are quiet, again where none comes, and anew with more than a sign', () => {
  const silence = new LegSilence()
  silence.heard(0)
  assert.deepEqual(
    [silence.wantsSign(300, 1), silence.wantsSign(301, 0), silence.wantsSign(301, 1)],
    [false, false, true],
  )
  silence.asked(301)
  assert.deepEqual([silence.wantsSign(550, 1), silence.wantsSign(551, 0)], [false, true])
  silence.heard(560)
  assert.deepEqual([silence.wantsSign(1_160, 1), silence.wantsSign(1_161, 1)], [false, true])
  silence.heard(1_161)
  silence.heardContent()
  assert.equal(silence.wantsSign(1_462, 1), true)
})

type Step = { readonly ms: number; readonly what: 'look' | 'heard' | 'expect' | 'asked' }
const steps = fc.array(
  fc.record<Step>({
    ms: fc.integer({ min: 0, max: 900 }),
    what: fc.constantFrom<Step['what']>('look', 'look', 'look', 'heard', 'expect', 'asked'),
  }),
  { maxLength: 60 },
)

test('property: never silent within 0.6 s of a word, nor without anything due, nor for what a thread that was held up did not hear', () => {
  fc.assert(
    fc.property(steps, fc.boolean(), (all, isUnreachable) => {
      const silence = new LegSilence()
      let now = 0
      let heardAt = 0
      let lookedAt = 0
      silence.heard(now)
      for (const { ms, what } of all) {
        now += ms
        if (what === 'heard') {
          silence.heard(now)
          heardAt = now
          assert.deepEqual([silence.isDue, silence.isSuspect], [false, false])
        } else if (what === 'expect') silence.expect(now)
        else if (what === 'asked') silence.asked(now)
        else {
          const is = silence.look(now, 0, isUnreachable)
          if (is !== 'heard') {
            assert.ok(now - heardAt > 600 && silence.isDue, `${is} after ${now - heardAt} ms`)
            assert.ok(now - lookedAt <= 400, `${is} in a look ${now - lookedAt} ms after the last one`)
          }
          lookedAt = now
        }
      }
    }),
  )
})
