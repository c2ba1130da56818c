import assert from 'node:assert/strict'
import { test } from 'node:test'
import { joinWords } from '../src/output/join-words.ts'

test('who joined reads how to start: a validator of the file keeps its role, whatever token it used', () => {
  const invitation = { roles: ['relay', 'storage'], uses: 1, expiresAt: 1_800_000_000_000 }
  for (const used of [{}, { invitation }]) {
    const words = joinWords({ isValidator: true, byBridge: false, ...used }, '/home')
    assert.match(words, /is a validator of the network file and needs no invitation/)
    assert.match(words, /weft start --home \/home --roles validator,storage/)
  }
  assert.match(joinWords({ isValidator: false, byBridge: false }, '/home'), /^The network is open/)
  assert.match(
    joinWords({ isValidator: false, byBridge: false, invitation }, '/home'),
    /relay, storage.* --roles storage \(/,
  )
  const other = { ...invitation, roles: ['relay'] }
  assert.match(joinWords({ isValidator: false, byBridge: false, invitation: other }, '/home'), /--roles relay \(/)
})

test('who joined by a bridge reads of no roles, which such a node cannot have', () => {
  const invitation = { roles: ['storage'], uses: 1, expiresAt: 1_800_000_000_000 }
  const words = joinWords({ isValidator: false, byBridge: true, invitation }, '/home')
  assert.match(words, /Next: weft start --home \/home$/)
})
