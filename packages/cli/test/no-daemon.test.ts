import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WeftError } from '@weft/core'
import { noDaemon } from '../src/output/no-daemon.ts'

const error = new WeftError({ code: 'E_DAEMON_NOT_RUNNING', cause: 'No daemon runs.', fix: 'weft start' })

test('without a daemon: that the kill switch shuts the machine, and how to unblock it', () => {
  const on = noDaemon(error, { tunnel: 'none', killSwitch: 'on' })
  assert.equal(on.code, 'E_DAEMON_NOT_RUNNING')
  assert.match(on.cause, /^No daemon runs\. The kill switch of this machine is on: nothing leaves it/)
  assert.match(on.fix, /weft start.*as root: weft vpn killswitch off/)
  assert.doesNotMatch(on.fix, /nft/)
  assert.match(noDaemon(error, { tunnel: 'none', killSwitch: 'unknown' }).cause, /Files of this machine say/)
})

test('with rules of a tunnel beside it both are told; with nothing the error is as it was', () => {
  const both = noDaemon(error, { tunnel: 'standing', killSwitch: 'on' })
  assert.match(both.cause, /Rules of its last one.*The kill switch of this machine is on/)
  assert.match(both.fix, /nft delete table inet weft_tun.*weft vpn killswitch off/)
  const tunnel = noDaemon(error, { tunnel: 'unknown', killSwitch: 'off' })
  assert.match(tunnel.cause, /may stand/)
  assert.doesNotMatch(tunnel.fix, /killswitch/)
  assert.equal(noDaemon(error, { tunnel: 'none', killSwitch: 'off' }), error)
})
