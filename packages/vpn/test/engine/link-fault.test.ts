import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linkFault } from '../../src/engine/link-fault.ts'

test('a link that could not renew its keys says so; others end in the course of things', () => {
  assert.equal(linkFault('keys expired')?.code, 'E_LINK_EXPIRED')
  for (const reason of ['idle', 'silent', 'no answer', 'given up', 'closed', undefined] as const)
    assert.equal(linkFault(reason), undefined)
})
