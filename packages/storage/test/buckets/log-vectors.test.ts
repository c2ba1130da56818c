import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fromHex, toHex } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { EntryReader, LogKeys } from '../../src/buckets/log-entry.ts'
import type { Operation } from '../../src/buckets/log-entry.ts'

interface Vectors {
  readonly personSeed: string
  readonly nonce: string
  readonly writer: string
  readonly operations: readonly Operation[]
  /** The entry in two pieces. */
  readonly pieces: readonly {
    readonly position: number
    readonly owner: string
    readonly begins: boolean
    readonly goesOn: boolean
    readonly data: string
    readonly value: string
  }[]
}

const vectors = JSON.parse(readFileSync(new URL('../vectors/buckets.json', import.meta.url), 'utf8')) as Vectors
const writer = fromHex(vectors.writer)

test('keys of positions, sealed pieces and the entry that they make are those of the vectors', () => {
  using keys = new LogKeys(new SigningKey(fromHex(vectors.personSeed)))
  const reader = new EntryReader()
  const entries = vectors.pieces.map(({ position, owner, begins, goesOn, data, value }) => {
    const piece = { writer, begins, goesOn, data: fromHex(data) }
    assert.equal(toHex(keys.owner(position).publicKey), owner)
    assert.equal(toHex(keys.seal(position, piece, { bytes: () => fromHex(vectors.nonce) })), value)
    assert.deepEqual(keys.open(position, fromHex(value)), piece)
    assert.throws(() => keys.open(position + 1, fromHex(value)))
    return reader.next(piece)
  })
  assert.deepEqual(entries, [undefined, vectors.operations])
})

test('an entry that was broken off, or is of two writers, counts for nothing', () => {
  const [first, second] = vectors.pieces.map(({ begins, goesOn, data }) => ({
    writer,
    begins,
    goesOn,
    data: fromHex(data),
  }))
  const reader = new EntryReader()
  assert.equal(reader.next(second!), undefined)
  assert.equal(reader.next(first!), undefined)
  assert.equal(reader.next({ ...second!, writer: new Uint8Array(16) }), undefined)
  assert.equal(reader.next(first!), undefined)
  assert.equal(reader.next(first!), undefined)
  assert.deepEqual(reader.next(second!), vectors.operations)
})
