import assert from 'node:assert/strict'
import { it } from 'node:test'
import { WeftError, isWeftError, messageOf, throwIfAborted, toWeftError } from '../src/index.ts'

const fault = { code: 'E_EXAMPLE', cause: 'The port 7780 is taken.', fix: 'Set --base-port.' }

it('carries code, cause and fix in its message and its JSON, and never its origin', () => {
  const error = new WeftError({ ...fault, details: { port: 7780 }, origin: new Error('secret') })
  assert.equal(error.message, 'E_EXAMPLE: The port 7780 is taken. Fix: Set --base-port.')
  assert.deepEqual(JSON.parse(JSON.stringify(error)), { ...fault, retryable: false, details: { port: 7780 } })
  assert.ok(isWeftError(error, 'E_EXAMPLE'))
  assert.ok(!isWeftError(error, 'E_OTHER'))
})

it('wraps whatever was thrown, once', () => {
  const wrapped = toWeftError(new TypeError('x is not a function'), fault)
  assert.equal(wrapped.code, 'E_EXAMPLE')
  assert.equal(toWeftError(wrapped, { ...fault, code: 'E_OTHER' }), wrapped)
  assert.equal(messageOf(wrapped), fault.cause)
  assert.equal(messageOf('text'), 'text')
})

it('keeps the reason of an abort when it is a WeftError', () => {
  const reason = new WeftError(fault)
  assert.throws(() => throwIfAborted(AbortSignal.abort(reason)), reason)
  assert.throws(() => throwIfAborted(AbortSignal.abort()), { code: 'E_ABORTED' })
  throwIfAborted(undefined)
})
