import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WeftError } from '@weft/core'
import { ApiError } from '@weft/devnet'
import { exitCodeOf } from '../src/program/exit-code.ts'

const fault = (code: string): { code: string; cause: string; fix: string } => ({ code, cause: 'c', fix: 'f' })

test('a code decides before the HTTP status does', () => {
  assert.equal(exitCodeOf(new WeftError(fault('E_DAEMON_NOT_RUNNING'))), 3)
  assert.equal(exitCodeOf(new WeftError(fault('E_TIMEOUT'))), 6)
  assert.equal(exitCodeOf(new WeftError(fault('E_BRIDGE_LINE'))), 2)
  assert.equal(exitCodeOf(new WeftError(fault('E_BRIDGE_UNKNOWN'))), 5)
  assert.equal(exitCodeOf(new WeftError(fault('E_KILL_SWITCH'))), 7)
  assert.equal(exitCodeOf(new ApiError(fault('E_SHARDS_MISSING'), 404)), 1)
  assert.equal(exitCodeOf(new ApiError(fault('E_ANY'), 404)), 5)
  assert.equal(exitCodeOf(new ApiError(fault('E_ANY'), 403)), 4)
  assert.equal(exitCodeOf(new ApiError(fault('E_ANY'), 400)), 2)
  assert.equal(exitCodeOf(new ApiError(fault('E_ANY'), 503)), 1)
  assert.equal(exitCodeOf(new Error('x')), 1)
})
