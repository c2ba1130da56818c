import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { silentLogger, systemClock } from '@weft/core'
import { SeenSequences } from '../../src/records/seen-sequences.ts'

test('what the disk does not take is remembered all the same, and written when it does again', (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-seen-'))
  context.after(() => rmSync(directory, { recursive: true }))
  const [first, second, third] = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ]
  {
    using seen = new SeenSequences(directory, systemClock, silentLogger)
    seen.note(first, 1)
    // Another writer holds the file: every write fails, as on a full disk.
    const other = new DatabaseSync(join(directory, 'records-seen.sqlite'))
    other.exec('BEGIN IMMEDIATE')
    seen.note(first, 2)
    seen.note(second, 5)
    assert.deepEqual([seen.highest(first), seen.highest(second)], [2, 5])
    seen.note(first, 1)
    assert.equal(seen.highest(first), 2)
    other.exec('ROLLBACK')
    other.close()
    seen.note(third, 7)
  }
  using again = new SeenSequences(directory, systemClock, silentLogger)
  assert.deepEqual(
    [first, second, third].map((key) => again.highest(key)),
    [2, 5, 7],
  )
})
