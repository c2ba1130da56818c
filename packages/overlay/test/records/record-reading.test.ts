import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '@weft/core'
import { type DidKey, SigningKey } from '@weft/crypto'
import type { RecordPlan } from '../../src/records/record-placement.ts'
import { readAnswers } from '../../src/records/record-reading.ts'
import { type VerifiedRecord, makeMutable } from '../../src/records/record.ts'

test('copies counts the holders that answered with the newest version, and no others', () => {
  const owner = SigningKey.generate()
  const version = (sequence: number, expiresAt: number): VerifiedRecord =>
    makeMutable({ owner, salt: utf8('s'), sequence, expiresAt, value: utf8(`value ${sequence}`) })
  const ids = Array.from({ length: 6 }, () => SigningKey.generate().id)
  const group = { ids: new Set(ids), required: 4, faults: 1 }
  const plan = { holders: ids, readers: ids, groups: [group] } as unknown as RecordPlan
  // Three have the newest one, one of them for longer; one has an old one, one has none, one is silent.
  const held = [version(2, 2_000), version(2, 3_000), version(2, 2_000), version(1, 2_000), undefined]
  const given = new Map<DidKey, VerifiedRecord | undefined>(held.map((record, at) => [ids[at]!, record]))
  const reading = readAnswers(plan, { given, failed: new Map() }, 1_000)
  assert.deepEqual([reading.newest?.expiresAt, reading.copies, reading.answered], [3_000, 3, 5])
  const none = readAnswers(plan, { given: new Map([[ids[0]!, undefined]]), failed: new Map() }, 1_000)
  assert.deepEqual([none.newest, none.copies], [undefined, 0])
})
