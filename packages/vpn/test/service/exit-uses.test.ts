import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DidKey } from '@weft/crypto'
import { exitUses } from '../../src/service/exit-uses.ts'
import type { LegState, LegStatus, VpnStatus } from '../../src/vpn.ts'

const [NEAR, FAR, UNUSED] = ['did:key:z6MkNear', 'did:key:z6MkFar', 'did:key:z6MkUnused'] as const satisfies DidKey[]

const leg = (state: LegState, exit: DidKey): LegStatus =>
  ({ state, hops: [{ node: 'did:key:z6MkEntry' }, { node: exit }] }) as unknown as LegStatus

test('an exit is used by each whose leg in use leads to it, the whole machine included', () => {
  const status = {
    route: { legs: [leg('active', NEAR), leg('spare', FAR)] },
    others: [
      { use: 'tunnel', number: undefined, legs: [leg('active', FAR), leg('spare', NEAR)] },
      { use: 'credentials', number: 2, legs: [leg('active', FAR)] },
      { use: 'credentials', number: 3, legs: [leg('building', UNUSED)] },
    ],
  } as unknown as VpnStatus
  assert.deepEqual(exitUses(NEAR, status), [{ use: 'proxy', number: undefined }])
  assert.deepEqual(exitUses(FAR, status), [
    { use: 'tunnel', number: undefined },
    { use: 'credentials', number: 2 },
  ])
  assert.deepEqual(exitUses(UNUSED, status), [])
})
