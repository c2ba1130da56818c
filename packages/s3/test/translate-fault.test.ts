import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WeftError } from '@weft/core'
import { toS3Error } from '../src/translate-fault.ts'

const told = (code: string, more: { details?: Record<string, unknown>; retryable?: boolean } = {}) => {
  const { code: answer, status } = toS3Error(new WeftError({ code, cause: 'a secret', fix: 'x', ...more }))
  return [answer, status]
}

test('no room is said as such, at holders as on this disk; other losses may be over soon', () => {
  const lost = (...codes: string[]) => ({
    retryable: true,
    details: { lost: codes.map((code) => ({ node: 'n', code })) },
  })
  assert.deepEqual(told('E_QUOTA'), ['QuotaExceeded', 507])
  assert.deepEqual(told('E_DISK_FULL'), ['QuotaExceeded', 507])
  assert.deepEqual(told('E_HOLDERS_LOST', lost('E_QUOTA', 'E_DISK_FULL')), ['QuotaExceeded', 507])
  assert.deepEqual(told('E_HOLDERS_LOST', lost('E_QUOTA', 'E_NODE_UNREACHABLE')), ['ServiceUnavailable', 503])
  assert.deepEqual(told('E_HOLDERS_LOST', { retryable: true }), ['ServiceUnavailable', 503])
})

test('bytes that were removed apart from their name are not there', () => {
  assert.deepEqual(told('E_OBJECT_REMOVED'), ['NoSuchKey', 404])
})

test('other faults tell their code alone', () => {
  assert.deepEqual(told('E_RECORD_UNAVAILABLE', { retryable: true }), ['ServiceUnavailable', 503])
  assert.deepEqual(told('E_SOMETHING'), ['InternalError', 500])
  assert.ok(!JSON.stringify(toS3Error(new WeftError({ code: 'E_X', cause: 'a secret', fix: 'x' }))).includes('secret'))
})
