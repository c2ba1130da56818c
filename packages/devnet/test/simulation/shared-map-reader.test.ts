import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '@weft/core'
import { type EntryList, type MapReader, atOnce, mapReader } from '@weft/overlay'
import { sharedMapReader } from '../../src/simulation/shared-map-reader.ts'

const bodyOf = (epoch: number, root = epoch): Parameters<MapReader['whole']>[0] => ({
  network: 'w',
  epoch,
  root: new Uint8Array(32).fill(root),
  count: 2,
  signedAt: 0,
  placed: 0,
  beacon: undefined,
  inputs: undefined,
})

test('the same bytes under the same root are read once; others are judged for themselves', () => {
  let reads = 0
  const reader = sharedMapReader({
    ...mapReader,
    // oxlint-disable-next-line require-yield
    *whole(body, entries) {
      reads++
      if (Buffer.from(entries[1] ?? []).toString() !== 'b') throw new Error('not of this root')
      return { root: body.root, count: entries.length, bytes: () => entries } as unknown as EntryList
    },
  })
  const read = (body: ReturnType<typeof bodyOf>, ...texts: string[]): EntryList =>
    atOnce(
      reader.whole(
        body,
        texts.map((text) => utf8(text)),
        undefined,
      ),
    )
  const first = read(bodyOf(1), 'a', 'b')
  assert.equal(read(bodyOf(2, 1), 'a', 'b'), first)
  assert.equal(reads, 1)
  assert.throws(() => read(bodyOf(1), 'a', 'x'), /not of this root/)
  assert.throws(() => read(bodyOf(1), 'a'), /not of this root/)
  assert.equal(read(bodyOf(1), 'a', 'b'), first, 'what was refused is not kept')
  const [right, wrong] = [
    [utf8('a'), utf8('b')],
    [utf8('a'), utf8('y')],
  ]
  for (let times = 0; times < 2; times++) {
    assert.equal(atOnce(reader.whole(bodyOf(1), right, undefined)), first)
    assert.throws(() => atOnce(reader.whole(bodyOf(1), wrong, undefined)), /not of this root/)
  }
  for (let epoch = 2; epoch < 6; epoch++) read(bodyOf(epoch), 'a', 'b')
  assert.notEqual(read(bodyOf(1), 'a', 'b'), first, 'only the newest maps are kept')
})
