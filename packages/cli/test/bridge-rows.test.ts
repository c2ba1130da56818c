import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bridgeRows, bridgeStateWords } from '../src/output/bridge-rows.ts'

const USED = { name: '192.0.2.1:443', state: 'used' } as const

test('a bridge that was taken out is shown as long as the daemon calls by it', () => {
  const rows = bridgeRows([], [USED])
  assert.deepEqual(rows, [{ ...USED, removed: true }])
  assert.equal(bridgeStateWords(rows[0]!, true), 'used, until the next start')
})

test('a bridge that was added counts from the next start on', () => {
  const rows = bridgeRows(['192.0.2.1:443', '192.0.2.2:443'], [USED])
  assert.deepEqual(rows, [USED, { name: '192.0.2.2:443' }])
  assert.deepEqual(
    rows.map((row) => bridgeStateWords(row, true)),
    ['used', 'from the next start on'],
  )
})

test('of no bridge is anything known while no daemon runs', () => {
  const rows = bridgeRows(['192.0.2.1:443'], undefined)
  assert.deepEqual(rows, [{ name: '192.0.2.1:443' }])
  assert.equal(bridgeStateWords(rows[0]!, false), '-')
})
