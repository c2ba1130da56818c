import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { PREFACE_BYTES, readPreface, writePreface } from '../../src/carriage/preface.ts'

test('who knows the link key is known by it, with any bit changed nobody is', () => {
  const linkKey = randomBytes(32)
  const flowId = randomBytes(16)
  const preface = writePreface(flowId, linkKey)
  assert.equal(preface.length, PREFACE_BYTES)
  assert.deepEqual(Buffer.from(readPreface(preface, linkKey) ?? []), flowId)
  assert.equal(readPreface(preface, randomBytes(32)), undefined)
  for (let bit = 0; bit < 8 * PREFACE_BYTES; bit++) {
    const changed = Buffer.from(preface)
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7))
    assert.equal(readPreface(changed, linkKey), undefined)
  }
})

test('the bytes are those of docs/specs/packets.md', () => {
  const linkKey = Uint8Array.from({ length: 32 }, (_, at) => at)
  const flowId = Uint8Array.from({ length: 16 }, (_, at) => 0xf0 + at)
  assert.equal(
    Buffer.from(writePreface(flowId, linkKey)).toString('hex'),
    'f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff6a0e2624e2294c0a0ec43ec4c8523beb',
  )
})
