import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseDuration } from '../src/program/duration.ts'

test('durations are read with their unit', () => {
  assert.deepEqual(
    ['500ms', '30s', '5m', '12h', '30d'].map((text) => parseDuration(text, '--ttl')),
    [500, 30_000, 300_000, 43_200_000, 2_592_000_000],
  )
})

test('anything else is a usage error that names the option', () => {
  for (const text of ['', '5', 's', '-5s', '1.5s', '5 s', '5S', '5w']) {
    assert.throws(() => parseDuration(text, '--ttl'), { code: 'E_USAGE', cause: `--ttl '${text}' is no duration.` })
  }
  for (const text of ['366d', '900d', '99999999999s', `${'9'.repeat(400)}ms`]) {
    assert.throws(() => parseDuration(text, '--ttl'), {
      code: 'E_USAGE',
      cause: `--ttl '${text}' is longer than 365 days, the longest possible.`,
      fix: 'Give 365d or less.',
    })
  }
  assert.equal(parseDuration('365d', '--ttl'), 365 * 86_400_000)
  assert.throws(() => parseDuration('0s', '--ttl'), { code: 'E_USAGE', cause: "--ttl '0s' is no time at all." })
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        assert.ok(parseDuration(text, '--ttl') > 0)
      } catch (error) {
        assert.equal((error as { code: string }).code, 'E_USAGE')
      }
    }),
  )
})
