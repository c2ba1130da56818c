import assert from 'node:assert/strict'
import { test } from 'node:test'
import { joinFaults } from '../src/index.ts'

test('several faults are one, that says nothing twice', () => {
  const fault = (cause: string, fix: string) => ({ code: 'E_A', cause, fix })
  assert.equal(joinFaults([]), undefined)
  assert.deepEqual(joinFaults([fault('One.', 'Do it.')]), fault('One.', 'Do it.'))
  assert.deepEqual(
    joinFaults([fault('One.', 'Do it.'), { ...fault('Two.', 'Do it.'), code: 'E_B' }, fault('One.', 'Do that.')]),
    fault('One. Two.', 'Do it. Do that.'),
  )
})
