import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isWeftError } from '@weft/core'
import fc from 'fast-check'
import { type GuardState, MAX_SAMPLED, formatGuardState, parseGuardState } from '../../src/route/guard-state.ts'
import { makeMember } from './make-member.ts'

const SECONDS = Number(process.env['WEFT_FUZZ_SECONDS'] ?? 3)

const whole: GuardState = {
  guards: [1, 2, 3].map((index) => ({
    id: makeMember(index, ['entry']).id,
    since: 1_790_000_000_000 + index,
    confirmed: index < 3,
    unlistedSince: index === 2 ? 1_795_000_000_000 : undefined,
  })),
  lastLeft: undefined,
}

test('fuzz: any text is a state of guards within its limits, which is written as it was read, or refused', () => {
  const text = formatGuardState(whole)
  const mutated = fc
    .tuple(fc.array(fc.tuple(fc.nat(text.length), fc.nat(3), fc.string({ maxLength: 3 })), { maxLength: 4 }))
    .map(([changes]) => changes.reduce((all, [at, cut, put]) => all.slice(0, at) + put + all.slice(at + cut), text))
  const shaped = fc.json().map((json) => `{"version":1,"lastLeft":null,"guards":${json}}`)
  fc.assert(
    fc.property(fc.oneof(mutated, shaped, fc.json(), fc.string()), (given) => {
      let read: GuardState
      try {
        read = parseGuardState(given, 'guards.json')
      } catch (error) {
        return assert.ok(isWeftError(error, 'E_STATE_CORRUPT') && error.cause.length < 300, String(error))
      }
      assert.ok(read.guards.length <= MAX_SAMPLED)
      assert.deepEqual(parseGuardState(formatGuardState(read), 'guards.json'), read)
    }),
    { numRuns: Infinity, plugins: [fc.interruptAfterTimeLimit(SECONDS * 1_000)] },
  )
})
