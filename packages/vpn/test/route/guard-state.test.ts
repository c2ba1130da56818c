import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isWeftError } from '@weft/core'
import fc from 'fast-check'
import { MAX_SAMPLED, formatGuardState, parseGuardState } from '../../src/route/guard-state.ts'
import { makeMember } from './make-member.ts'

const IDS = Array.from({ length: MAX_SAMPLED + 1 }, (_, index) => makeMember(index + 1, ['entry']).id)
const time = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })

test('a state is read as it was written', () => {
  const states = fc.record({
    guards: fc
      .array(fc.record({ since: time, confirmed: fc.boolean(), unlistedSince: fc.option(time, { nil: undefined }) }), {
        maxLength: MAX_SAMPLED,
      })
      .map((all) =>
        all
          .toSorted((a, b) => Number(b.confirmed) - Number(a.confirmed))
          .map((guard, index) => ({ id: IDS[index] ?? assert.fail(), ...guard })),
      ),
    lastLeft: fc.option(time, { nil: undefined }),
  })
  fc.assert(
    fc.property(states, ({ guards, lastLeft }) =>
      assert.deepEqual(parseGuardState(formatGuardState({ guards, lastLeft }), 'g'), { guards, lastLeft }),
    ),
  )
})

const guard = (more: object = {}): object => ({ id: IDS[0], since: 5, confirmed: true, unlistedSince: null, ...more })
const state = (more: object = {}): string => JSON.stringify({ version: 1, lastLeft: null, guards: [guard()], ...more })

test('the form in docs/specs/routes.md', () => {
  assert.deepEqual(parseGuardState(state(), 'g'), {
    lastLeft: undefined,
    guards: [{ id: IDS[0], since: 5, confirmed: true, unlistedSince: undefined }],
  })
})

const refused: readonly [string, string, RegExp][] = [
  ['no JSON', '{', /no JSON/],
  ['more than 16,384 characters', `${state()}${' '.repeat(16_384)}`, /16384/],
  ['another version', state({ version: 2 }), /version/],
  ['a member more', state({ more: 1 }), /has not the members/],
  ['a list', '[]', /has not the members/],
  ['nothing', 'null', /has not the members/],
  ['no list of guards', state({ guards: {} }), /no list/],
  ['21 guards', state({ guards: IDS.map((id) => guard({ id })) }), /at most 20/],
  ['a guard twice', state({ guards: [guard(), guard()] }), /twice/],
  ['a guard with a member more', state({ guards: [guard({ more: 1 })] }), /has not the members/],
  ['no id', state({ guards: [guard({ id: 'did:key:z1' })] }), /no id/],
  ['a time below 0', state({ guards: [guard({ since: -1 })] }), /time/],
  ['a time with a part', state({ guards: [guard({ since: 1.5 })] }), /time/],
  ['a time as text', state({ lastLeft: '5' }), /time/],
  ['no word whether it answered', state({ guards: [guard({ confirmed: 1 })] }), /whether it answered/],
  [
    'another order',
    state({ guards: [guard({ confirmed: false }), guard({ id: IDS[1] })] }),
    /stands behind one that did not/,
  ],
]
for (const [what, text, cause] of refused)
  test(`refused: ${what}`, () => {
    assert.throws(
      () => parseGuardState(text, 'state/guards.json'),
      (error) =>
        isWeftError(error, 'E_STATE_CORRUPT') && cause.test(error.cause) && error.fix.includes('state/guards.json'),
    )
  })
