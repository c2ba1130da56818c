import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { checkedDevnetDirectory, defaultDevnetDirectory } from '@weft/devnet'
import { faultIn } from '../src/lifecycle/last-fault.ts'

const fault = { code: 'E_PORT_TAKEN', cause: 'Port 1 is taken.', fix: 'Use another.' }

test('the last fault of a log is found, as JSON at any depth or as words', () => {
  assert.deepEqual(
    faultIn(
      `${JSON.stringify({ fault: { code: 'E_OLD', cause: 'x', fix: 'y' } })}\n${JSON.stringify({ error: fault })}\n{"level":"info"}\n`,
    ),
    fault,
  )
  assert.deepEqual(faultIn(JSON.stringify({ level: 'error', ...fault })), fault)
  assert.deepEqual(faultIn('E_PORT_TAKEN: Port 1 is taken. Fix: Use another.\n'), fault)
  assert.equal(faultIn('all is well\n'), undefined)
})

/** As fast-check's 'binary', and half surrogates; without its table of all of Unicode, which takes 2 s to build. */
const anyCodePoint = fc.nat({ max: 0x10_ffff }).map((point) => String.fromCodePoint(point))

test('no log makes it fail', () => {
  fc.assert(
    fc.property(fc.string({ unit: anyCodePoint }), (text) =>
      assert.doesNotThrow(() => faultIn(`{"E_${text}\nE_A: ${text}`)),
    ),
  )
})

test('a directory too deep for a socket is refused by name', () => {
  assert.throws(() => checkedDevnetDirectory(`/${'d'.repeat(100)}`, ['client']), { code: 'E_SOCKET_PATH' })
  assert.equal(checkedDevnetDirectory('/d', ['client']), '/d')
})

test('the default directory is in the XDG state directory; a relative one there is ignored', () => {
  assert.equal(defaultDevnetDirectory({ HOME: '/h', XDG_STATE_HOME: '/s' }), '/s/weft/devnet')
  assert.equal(defaultDevnetDirectory({ HOME: '/h', XDG_STATE_HOME: 's' }), '/h/.local/state/weft/devnet')
  assert.equal(defaultDevnetDirectory({ HOME: '/h' }), '/h/.local/state/weft/devnet')
})
