import assert from 'node:assert/strict'
import { test } from 'node:test'
import { joinWords, validatorStart } from '../src/output/join-words.ts'

test('who joined reads how to start: a validator of the file keeps its role, whatever token it used', () => {
  const invitation = { roles: ['relay', 'storage'], uses: 1, expiresAt: 1_800_000_000_000 }
  for (const used of [{}, { invitation }]) {
    const words = joinWords({ isValidator: true, byBridge: false, ...used }, '/home', undefined)
    assert.match(words, /is a validator of the network file and needs no invitation/)
    assert.match(words, /weft start --home \/home --roles validator,storage/)
  }
  assert.match(joinWords({ isValidator: false, byBridge: false }, '/home', undefined), /^The network is open/)
  assert.match(
    joinWords({ isValidator: false, byBridge: false, invitation }, '/home', undefined),
    /relay, storage.* --roles storage to offer that; without it is a client/,
  )
  const other = { ...invitation, roles: ['relay'] }
  assert.match(
    joinWords({ isValidator: false, byBridge: false, invitation: other }, '/home', undefined),
    /--roles relay to offer that/,
  )
})

test('who joined by a bridge reads of no roles, which such a node cannot have', () => {
  const invitation = { roles: ['storage'], uses: 1, expiresAt: 1_800_000_000_000 }
  const words = joinWords({ isValidator: false, byBridge: true, invitation }, '/home', undefined)
  assert.match(words, /Next: weft start --home \/home$/)
})

test('roles that weft.toml has are kept: --roles would replace them', () => {
  assert.equal(validatorStart('/home', undefined), 'weft start --home /home --roles validator,storage')
  assert.equal(validatorStart('/home', ['validator', 'storage']), 'weft start --home /home')
  assert.equal(validatorStart('/home', ['entry', 'relay']), 'weft start --home /home --roles validator,entry,relay')
  const invitation = { roles: ['relay', 'storage'], uses: 1, expiresAt: 1_800_000_000_000 }
  for (const used of [{ invitation }, {}])
    for (const configured of [[], ['entry', 'relay']]) {
      const words = joinWords({ isValidator: false, byBridge: false, ...used }, '/home', configured)
      assert.doesNotMatch(words, /--roles/)
      assert.match(words, /Next: weft start --home \/home/)
    }
  const validator = joinWords({ isValidator: true, byBridge: false }, '/home', ['entry'])
  assert.match(validator, /--roles validator,entry$/)
})
