import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '@weft/core'
import type { MapReader } from '@weft/overlay'
import { sharedMapReader } from '../../src/simulation/shared-map-reader.ts'

const bodyOf = (epoch: number, root = epoch): Parameters<MapReader>[0] => ({
  network: 'w',
  epoch,
  root: new Uint8Array(32).fill(root),
  count: 2,
  signedAt: 0,
})

test('the same bytes under the same root are read once; others are judged for themselves', () => {
  let reads = 0
  const reader = sharedMapReader((_, entries) => {
    reads++
    if (Buffer.from(entries[1] ?? []).toString() !== 'b') throw new Error('not of this root')
    return { entries, members: [], byId: new Map() }
  })
  const entries = (...texts: string[]): Uint8Array[] => texts.map((text) => utf8(text))
  const first = reader(bodyOf(1), entries('a', 'b'))
  assert.equal(reader(bodyOf(2, 1), entries('a', 'b')), first)
  assert.equal(reads, 1)
  assert.throws(() => reader(bodyOf(1), entries('a', 'x')), /not of this root/)
  assert.throws(() => reader(bodyOf(1), entries('a')), /not of this root/)
  assert.equal(reader(bodyOf(1), entries('a', 'b')), first, 'what was refused is not kept')
  for (let epoch = 2; epoch < 6; epoch++) reader(bodyOf(epoch), entries('a', 'b'))
  assert.notEqual(reader(bodyOf(1), entries('a', 'b')), first, 'only the newest maps are kept')
})
