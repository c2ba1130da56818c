import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { auditorsOf, drawLeaves } from '../../src/audit/audit-draw.ts'

const random = seededRandom(5)
const [node, auditor] = [0, 1].map(() => new SigningKey(random.bytes(32)).id) as [SigningKey['id'], SigningKey['id']]

test('1 % that is missing is found in an epoch with 99 %, wherever it lies', () => {
  const leaves = 200_000
  const missing = { 'in one piece': (leaf: number) => leaf < 2_000, everywhere: (leaf: number) => leaf % 100 === 7 }
  const found = new Map<string, number>()
  for (let epoch = 0; epoch < 1_000; epoch++) {
    const drawn = drawLeaves({ beacon: random.bytes(32), node, auditor, epoch }, leaves)
    assert.equal(new Set(drawn).size, 460)
    for (const [where, isMissing] of Object.entries(missing)) {
      if (drawn.some(isMissing)) found.set(where, (found.get(where) ?? 0) + 1)
    }
  }
  // 1 - 0.99^460 = 0.9902; four standard deviations of 1,000 are 0.0125.
  for (const [where, count] of found) assert.ok(count > 977, `${where}: ${count} of 1000`)
  assert.equal(found.size, 2)
})

test('a draw is of its beacon, node, auditor and epoch; of few leaves it is all of them', () => {
  const draw = { beacon: random.bytes(32), node, auditor, epoch: 7 }
  const drawn = drawLeaves(draw, 1_000)
  assert.deepEqual(drawLeaves({ ...draw }, 1_000), drawn)
  for (const other of [{ beacon: random.bytes(32) }, { node: auditor }, { auditor: node }, { epoch: 8 }]) {
    assert.notDeepEqual(drawLeaves({ ...draw, ...other }, 1_000), drawn)
  }
  assert.deepEqual(drawLeaves(draw, 3), [0, 1, 2])
  assert.deepEqual(drawLeaves(draw, 0), [])
})

test('auditors change with the epoch, and every validator is drawn as often as others', () => {
  const validators = Array.from({ length: 16 }, () => new SigningKey(random.bytes(32)).id)
  const position = random.bytes(32)
  const counts = new Map(validators.map((id) => [id, 0]))
  for (let epoch = 0; epoch < 1_600; epoch++) {
    const drawn = auditorsOf(position, epoch, validators)
    assert.equal(new Set(drawn).size, 3)
    assert.deepEqual(auditorsOf(position, epoch, validators.toReversed()), drawn)
    for (const id of drawn) counts.set(id, counts.get(id)! + 1)
  }
  // 300 each, with a standard deviation of 16.
  for (const count of counts.values()) assert.ok(Math.abs(count - 300) < 80, `${count}`)
})
