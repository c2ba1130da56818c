import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { styleText } from 'node:util'
import fc from 'fast-check'
import { WeftError, printable } from '@weft/core'
import { faultLines } from '../src/output/fault-lines.ts'
import { formatBytes, formatDuration, formatTime } from '../src/output/format.ts'
import { Output } from '../src/output/output.ts'
import { formatTable } from '../src/output/table.ts'

test('bytes are told in powers of 1000', () => {
  assert.deepEqual(
    [0, 999, 1_000, 999_949, 999_950, 1_500_000, 3e9].map((bytes) => formatBytes(bytes)),
    ['0 B', '999 B', '1.0 kB', '999.9 kB', '1.0 MB', '1.5 MB', '3.0 GB'],
  )
  fc.assert(
    fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (bytes) =>
      assert.match(formatBytes(bytes), /^\d{1,4}(\.\d)? (B|kB|MB|GB|TB|PB)$/),
    ),
  )
})

test('durations are told in the units that matter', () => {
  assert.deepEqual(
    [-1, 12.4, 999.4, 12_340, 59_940, 59_960, 245_000, 3 * 3_600_000 + 720_000, 29.2 * 86_400_000].map((ms) =>
      formatDuration(ms),
    ),
    ['0 ms', '12 ms', '999 ms', '12.3 s', '59.9 s', '1 min 0 s', '4 min 5 s', '3 h 12 min', '29 d 4 h'],
  )
  assert.equal(formatTime(0), '1970-01-01 00:00 UTC')
})

test('a name cannot move the cursor or colour the terminal', () => {
  assert.equal(printable('a\nb\u001b[31mred\u009b é😀'), 'a\\u000ab\\u001b[31mred\\u009b é😀')
  assert.equal(printable('\u202eeman\u200b\u2028\u{e0041}'), '\\u202eeman\\u200b\\u2028\\udb40\\udc41')
})

test('the words of another node move no cursor in errors, faults and tables; our colours stay', () => {
  const words = '\u001b[2J\u001b]52;c;eA==\u0007\n\u202eok'
  const stream = new PassThrough({ encoding: 'utf8' })
  const output = new Output(false, stream as never, stream as never)
  output.error(new WeftError({ code: 'E_NETWORK_MISMATCH', cause: words, fix: words }))
  const told = stream.read() as string
  assert.equal(told.split('\n').length, 3)
  const styled = styleText('green', 'ok', { validateStream: false })
  const lines = [
    ...told.trimEnd().split('\n'),
    ...faultLines({ code: 'E_X', cause: words, fix: words }, output),
    ...formatTable(['A', 'B'], [[words, styled]]),
  ]
  for (const line of lines) assert.doesNotMatch(line.replaceAll(styled, ''), /[\p{Cc}\p{Cf}]/u)
  assert.ok(lines.at(-1)?.endsWith(styled))
})

test('columns stay aligned, whatever their colour', () => {
  const cell = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell), { maxLength: 5 }), (rows) => {
      const plain = formatTable(['ONE', 'TWO'], rows)
      const second = plain.map((line) => /^\S+\s+/.exec(line)?.[0].length)
      assert.equal(new Set(second).size, 1)
      const coloured = formatTable(
        ['ONE', 'TWO'],
        rows.map(([one, two]) => [styleText('red', one, { validateStream: false }), two]),
      )
      assert.deepEqual(
        // oxlint-disable-next-line no-control-regex
        coloured.map((line) => line.replaceAll(/\u001b\[\d+m/g, '')),
        plain,
      )
    }),
  )
})
