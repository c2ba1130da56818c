import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger, systemClock } from '@weft/core'
import { MemorySequences } from '../../src/records/memory-sequences.ts'
import { SeenSequences } from '../../src/records/seen-sequences.ts'
import { temporaryDirectory } from '../fixtures.ts'

test('what a node has seen grows only, on disk and in memory', () => {
  using directory = temporaryDirectory()
  using file = new SeenSequences(directory.path, systemClock, silentLogger)
  for (const seen of [file, new MemorySequences()]) {
    const [one, other] = [1, 2].map((byte) => new Uint8Array(32).fill(byte)) as [Uint8Array, Uint8Array]
    assert.equal(seen.highest(one), undefined)
    seen.note(one, 0)
    assert.equal(seen.highest(one), 0)
    for (const sequence of [5, 3, 5]) seen.note(one, sequence)
    assert.deepEqual([seen.highest(one), seen.highest(other)], [5, undefined])
  }
})

test('memory forgets the keys that were noted longest ago', () => {
  const seen = new MemorySequences()
  const key = (at: number): Uint8Array => {
    const bytes = new Uint8Array(32)
    new DataView(bytes.buffer).setUint32(0, at)
    return bytes
  }
  for (let at = 0; at < 50_000; at++) seen.note(key(at), 1)
  seen.note(key(0), 2)
  seen.note(key(50_000), 1)
  assert.deepEqual([seen.highest(key(0)), seen.highest(key(1)), seen.highest(key(2))], [2, undefined, 1])
})
