import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { byteSize, integer, listOf, oneOf, yesNo } from '../../src/config/value-kind.ts'

test('sizes: bytes, powers of two and powers of ten', () => {
  const size = byteSize(0, 2 ** 50)
  const cases: [unknown, number][] = [
    [5, 5],
    ['5', 5],
    ['5 B', 5],
    ['3KiB', 3 * 1024],
    ['3 kB', 3000],
    ['100 GiB', 100 * 2 ** 30],
    ['100 GB', 100e9],
    ['1 TiB', 2 ** 40],
  ]
  for (const [written, bytes] of cases) assert.equal(size.parse(written), bytes, String(written))
  for (const wrong of [
    '',
    'GiB',
    '1 XB',
    '1.5 GiB',
    '-1',
    '1  GiB',
    '1 KB',
    '1 Gi',
    1.5,
    -1,
    null,
    {},
    '99999999999999999 B',
  ]) {
    assert.throws(() => size.parse(wrong), RangeError, JSON.stringify(wrong))
  }
})

test('property: every size is read back as it is written', () => {
  const size = byteSize(0, Number.MAX_SAFE_INTEGER)
  fc.assert(
    fc.property(fc.nat(2 ** 40), fc.constantFrom(1, 2 ** 10, 2 ** 20, 1000), (count, unit) => {
      const bytes = Math.min(count * unit, 2 ** 52)
      assert.equal(size.parse(JSON.parse(size.format(bytes))), bytes)
    }),
  )
})

test('numbers are whole, in range, and not written in other bases', () => {
  const port = integer(1, 65_535, 'TCP port')
  assert.equal(port.parse('7780'), 7780)
  for (const wrong of ['0x10', '1e3', ' 1', '+1', '0', '65536', '', 1.5, true, undefined])
    assert.throws(() => port.parse(wrong), RangeError)
})

test('lists are arrays, or words parted by commas', () => {
  const list = listOf(oneOf(['a', 'b', 'c']), 2)
  assert.deepEqual(list.parse('a, b'), ['a', 'b'])
  assert.deepEqual(list.parse(['c']), ['c'])
  assert.deepEqual(list.parse(''), [])
  for (const wrong of ['a,a', 'd', 'a,,b', ['a', 'b', 'c'], [1], 5]) assert.throws(() => list.parse(wrong), RangeError)
})

test('yes and no are true and false, and nothing that is like them', () => {
  const kind = yesNo()
  for (const value of [true, false]) {
    assert.equal(kind.parse(value), value)
    assert.equal(kind.parse(kind.format(value)), value)
  }
  for (const wrong of ['yes', 'no', 'True', '', 1, 0, null, undefined])
    assert.throws(() => kind.parse(wrong), RangeError)
})
