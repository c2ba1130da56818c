import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApiClient } from '@weft/devnet'
import { memberNamed } from '../src/daemon/member-named.ts'

test('the end of an id names one member; an empty one names nobody, though all ids end in it', async () => {
  const { signal } = new AbortController()
  const api = (...ids: string[]) =>
    ({ json: async () => ({ members: ids.map((id) => ({ id })) }) }) as unknown as ApiClient
  assert.equal(await memberNamed(api('did:key:zAb', 'did:key:zCb'), 'Cb', signal), 'did:key:zCb')
  await assert.rejects(memberNamed(api('did:key:zAb', 'did:key:zCb'), 'b', signal), { code: 'E_NODE_NOT_FOUND' })
  for (const one of [api('did:key:zAb'), api('did:key:zAb', 'did:key:zCb')])
    await assert.rejects(memberNamed(one, '', signal), { code: 'E_USAGE', cause: 'The id is empty.' })
})
