import assert from 'node:assert/strict'
import { test } from 'node:test'
import { apply } from '../apply.ts'
import { elsewhere } from '../hostile/elsewhere.ts'

test('a region is bounded only by a validator whose own is known, in the open; and by fresh answers only', async () => {
  assert.equal(await apply(elsewhere({ region: 'australia' })), 'E_ADMISSION_REGION')
  assert.equal(await apply({ ...elsewhere({ region: 'australia' }), validatorRegion: 'atlantis' }), 'admitted')
  assert.equal(await apply(elsewhere({ region: 'atlantis' })), 'admitted', 'a name that nobody knows is a hint')
  assert.equal(await apply(elsewhere({ region: 'eu-central' })), 'admitted')
  assert.equal(await apply(elsewhere({ region: 'australia' }, new Uint8Array(16))), 'admitted', 'no round trip')
  assert.equal(await apply({ validatorRegion: 'australia', body: { region: 'eu-central' } }), 'admitted', 'a devnet')
})
