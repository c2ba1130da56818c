import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ADMISSION_CHECKS } from '../../src/admission/admission-checks.ts'
import { apply } from './apply.ts'
import { WRONG_WORDS } from './hostile/wrong-words.ts'
import { WRONG_PLACES } from './hostile/wrong-places.ts'
import { NO_RIGHT } from './hostile/no-right.ts'
import { TOO_LITTLE } from './hostile/too-little.ts'

/** For each check an applicant that only this check stops. */
const HOSTILE = { ...WRONG_WORDS, ...WRONG_PLACES, ...NO_RIGHT, ...TOO_LITTLE }

test('an applicant that does everything right gets a vote for exactly its body', async () => {
  assert.equal(await apply({}), 'admitted')
})

test('every check of admission has a hostile applicant here', () => {
  assert.deepEqual(Object.keys(HOSTILE).toSorted(), ADMISSION_CHECKS.map(({ name }) => name).toSorted())
})

for (const [name, cases] of Object.entries(HOSTILE)) {
  for (const [index, { code, applicant: hostile }] of cases.entries()) {
    test(`check ${name}, case ${index + 1}: it refuses, and nothing else would`, async () => {
      assert.equal(await apply(hostile), code)
      assert.equal(await apply(hostile, name), 'admitted')
    })
  }
}

test('an application that fails a cheap check causes no dialling', async () => {
  let dialled = false
  await apply({
    body: { family: 'somebody-else' },
    prepare: (node) =>
      node.rpc.handle('admission.challenge', async () => {
        dialled = true
        return {}
      }),
  })
  assert.equal(dialled, false)
})
