import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { GRANTS, SCOPE_NAMES, allows, covers, isGrant } from '../../src/http/scopes.ts'

const grants = fc.array(fc.constantFrom(...GRANTS), { maxLength: 5 })

test('property: what covers another set allows at least what that allows', () => {
  fc.assert(
    fc.property(grants, grants, (held, asked) => {
      if (!covers(held, asked)) return
      for (const scope of SCOPE_NAMES)
        if (allows(asked, scope))
          assert.ok(allows(held, scope), `${held.join()} covers ${asked.join()} but not ${scope}`)
    }),
  )
})

test('wildcards', () => {
  assert.ok(allows(['*'], 'node:admin'))
  assert.ok(allows(['storage:*'], 'storage:write'))
  assert.ok(!allows(['storage:*'], 'node:read'))
  assert.ok(
    !covers(['storage:read', 'storage:write'], ['storage:*']),
    'a wildcard also means scopes that are still to come',
  )
  assert.ok(!covers(['node:admin'], ['*']))
})

test('property: nothing but the listed is a grant', () => {
  fc.assert(
    fc.property(fc.string(), (text) => assert.equal(isGrant(text), (GRANTS as readonly string[]).includes(text))),
  )
})
