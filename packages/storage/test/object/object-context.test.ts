import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SigningKey } from '@weft/crypto'
import type { Overlay, PeerStatus } from '@weft/overlay'
import { isReachable } from '../../src/object/object-context.ts'

test('shards go to, and are fetched from, whom nobody holds to be away; that no connection is kept does not count', () => {
  const [self, up, suspect, lost, far] = Array.from({ length: 5 }, () => SigningKey.generate().id)
  const peer = (id: PeerStatus['id']): PeerStatus => {
    const code = id === lost ? 'E_NODE_UNREACHABLE' : 'E_PEER_NOT_KEPT'
    const fault = id === lost || id === far ? { code, cause: 'none', fix: 'none' } : undefined
    return { id, state: fault === undefined ? 'connected' : 'unreachable', since: 0, rttMs: undefined, fault }
  }
  const overlay = { self, peer, suspects: () => new Set([suspect]) } as Partial<Overlay> as Overlay
  const seen = [self, up, suspect, lost, far].map((id) => isReachable({ overlay }, { id: id as PeerStatus['id'] }))
  assert.deepEqual(seen, [true, true, false, false, true])
})
