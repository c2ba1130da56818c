import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { RotatingFile } from '../../src/log/rotating-file.ts'
import { testDirectory } from '../support/test-daemon.ts'

test('property: sizes and the number of files are bounded, and the newest lines are kept in order', (t) => {
  fc.assert(
    fc.property(fc.array(fc.nat(40), { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), (lengths, files) => {
      const path = join(testDirectory(t), 'daemon.log')
      using log = new RotatingFile({ path, maxSize: 100, files })
      const lines = lengths.map((length, index) => `${index}:${'x'.repeat(length)}\n`)
      for (const line of lines) log.write(line)
      const names = [...Array(files + 2).keys()].map((index) => (index === 0 ? path : `${path}.${index}`))
      assert.ok(!existsSync(names[files]!))
      const kept = names.toReversed().filter((name) => existsSync(name))
      for (const name of kept) assert.ok(statSync(name).size <= 100)
      const text = kept.map((name) => readFileSync(name, 'utf8')).join('')
      assert.ok(lines.join('').endsWith(text))
      assert.ok(lines.length === 0 || text.endsWith(lines.at(-1)!))
      assert.equal(log.dropped, 0)
    }),
    { numRuns: 50 },
  )
})

test('an earlier log is continued, and only its owner reads it', (t) => {
  const directory = testDirectory(t)
  const path = join(directory, 'daemon.log')
  for (const line of ['a\n', 'b\n']) {
    using log = new RotatingFile({ path, maxSize: 100, files: 2 })
    log.write(line)
  }
  assert.equal(readFileSync(path, 'utf8'), 'a\nb\n')
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(directory), ['daemon.log'])
})

test(
  'what cannot be written is counted and does not throw',
  { skip: existsSync('/dev/full') ? false : 'needs /dev/full' },
  () => {
    using log = new RotatingFile({ path: '/dev/full', maxSize: 1_000, files: 1 })
    log.write('lost\n')
    assert.equal(log.dropped, 1)
  },
)
