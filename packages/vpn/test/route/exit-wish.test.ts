import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isWeftError } from '@weft/core'
import fc from 'fast-check'
import { type ExitWish, formatExitWish, namedExit, parseExitWish } from '../../src/route/exit-wish.ts'
import { REGIONS } from '../../src/route/regions.ts'
import { makeMember } from './make-member.ts'

const { id } = makeMember(7, ['exit'])

test('each form of a wish', () => {
  const forms: readonly [string, ExitWish][] = [
    ['auto', { kind: 'auto' }],
    ['nearest', { kind: 'nearest' }],
    ['random', { kind: 'random' }],
    ['DE', { kind: 'country', country: 'DE' }],
    ['SA', { kind: 'country', country: 'SA' }],
    ['sa', { kind: 'region', region: 'sa' }],
    ['rest', { kind: 'region', region: 'rest' }],
    [id, { kind: 'node', id }],
    [id.slice(-8), { kind: 'suffix', suffix: id.slice(-8) }],
  ]
  for (const [text, wish] of forms) {
    assert.deepEqual(parseExitWish(text), wish, text)
    assert.equal(formatExitWish(wish), text)
  }
})

test('every region is one', () => {
  for (const region of REGIONS) assert.deepEqual(parseExitWish(region), { kind: 'region', region })
})

test('all else is refused, with what is valid', () => {
  const whole = `did:key:z6Mk${'1'.repeat(50)}`
  for (const text of [
    '',
    'de',
    'De',
    'EUR',
    'Auto',
    'NEAREST',
    ' eu',
    'eu ',
    'x1y2',
    'abcO0',
    whole,
    '\u001b[2J',
    'a'.repeat(1e6),
  ]) {
    assert.throws(
      () => parseExitWish(text),
      (error) =>
        isWeftError(error, 'E_EXIT_WISH') &&
        /auto, nearest, random.*DE.*na, eu, as, oc, sa, rest.*id of a node/.test(error.fix) &&
        error.cause.length < 200 &&
        !error.cause.includes('\u001b'),
      text.slice(0, 80),
    )
  }
  assert.throws(() => parseExitWish('de'), { cause: /a country is written DE/ })
  assert.throws(() => parseExitWish('Random'), { cause: /random is written in small letters/ })
})

test('what is read is written the same', () => {
  const texts = fc.oneof(
    fc.string(),
    fc.constantFrom('auto', 'nearest', 'random', ...REGIONS, id),
    fc.stringMatching(/^[A-Z]{2}$/),
    fc.nat(40).map((from) => id.slice(-5 - from)),
  )
  let read = 0
  fc.assert(
    fc.property(texts, (text) => {
      try {
        assert.equal(formatExitWish(parseExitWish(text)), text)
        read++
      } catch (error) {
        assert.ok(isWeftError(error, 'E_EXIT_WISH'))
      }
    }),
  )
  assert.ok(read > 20)
})

test('the end of an id names one member', () => {
  const members = [1, 2, 3].map((index) => makeMember(index, ['exit']))
  const [one] = members as [(typeof members)[0]]
  const suffix = one.id.slice(-9)
  assert.deepEqual(namedExit({ kind: 'suffix', suffix }, members), { kind: 'node', id: one.id })
  assert.deepEqual(namedExit({ kind: 'auto' }, members), { kind: 'auto' })
  const twice = [...members, { id: one.id }]
  for (const [among, cause] of [
    [[], /No member/],
    [twice, /several/],
  ] as const)
    assert.throws(
      () => namedExit({ kind: 'suffix', suffix }, among),
      (error) => isWeftError(error, 'E_NODE_NOT_FOUND') && cause.test(error.cause),
    )
})
