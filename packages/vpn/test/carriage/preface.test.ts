import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { FRAME_BYTES, writeFrame } from '../../src/carriage/frame-reader.ts'
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
  const text = readFileSync(new URL('../vectors/carriage.json', import.meta.url), 'utf8')
  const vector = JSON.parse(text) as Record<'linkKey' | 'flowId' | 'preface' | 'packet' | 'frame', string>
  const [linkKey, flowId, packet] = [vector.linkKey, vector.flowId, vector.packet].map((hex) => Buffer.from(hex, 'hex'))
  const mac = createHmac('sha256', linkKey!).update('weft:carriage:v1\0').update(flowId!).digest('hex')
  assert.equal(vector.preface, vector.flowId + mac.slice(0, 32))
  assert.equal(Buffer.from(writePreface(flowId!, linkKey!)).toString('hex'), vector.preface)
  assert.equal(vector.frame, `05a0${vector.packet}`)
  const frame = new Uint8Array(FRAME_BYTES)
  writeFrame(frame, 0, packet!)
  assert.equal(Buffer.from(frame).toString('hex'), vector.frame)
})
