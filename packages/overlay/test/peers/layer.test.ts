import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ROLES } from '../../src/member.ts'
import { layerOf } from '../../src/peers/layer.ts'

const id = 'did:key:z6Mk'
const nobody = (): boolean => false

test('a seat makes a validator, roles that others dial make core, others regular, and no certificate a client', () => {
  assert.equal(
    layerOf(undefined, () => true),
    'client',
  )
  assert.equal(
    layerOf({ id, roles: ['storage'] }, (seat) => seat === id),
    'validator',
  )
  const layers = ROLES.slice(1).map((role) => [role, layerOf({ id, roles: ['storage', role] }, nobody)])
  assert.deepEqual(Object.fromEntries(layers), {
    mailbox: 'regular',
    storage: 'regular',
    apps: 'regular',
    gateway: 'core',
    entry: 'core',
    relay: 'core',
    exit: 'core',
    compute: 'regular',
    validator: 'core',
  })
})
