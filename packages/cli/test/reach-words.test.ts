import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reachWords } from '../src/output/reach-words.ts'

const fault = { code: 'E_REACH_RELAYED', cause: 'Closed.', fix: 'Forward it.' }
const [first, second] = ['did:key:z6MkFirst111', 'did:key:z6MkSecond22']

test('every way to be reached has words, and relays have names', () => {
  const relayed = { state: 'relayed', addresses: [], through: [first, second], fault } as const
  assert.equal(
    reachWords(relayed),
    'over the relays …First111 and …Second22 (weft check says what to open to be reached directly)',
  )
  assert.match(reachWords({ ...relayed, through: [first] }), /^over the relay …First111 \(/)
  const addresses = ['/ip4/192.0.2.1/tcp/4780', '/ip4/192.0.2.1/tcp/4781/ws']
  assert.equal(reachWords({ state: 'direct', addresses }), `at ${addresses.join(', ')}`)
  assert.equal(reachWords({ state: 'unreachable', fault }), 'by nobody (E_REACH_RELAYED)')
  assert.match(reachWords({ state: 'asking' }), /^not known yet/)
  assert.match(reachWords({ state: 'client' }), /^not needed/)
})
