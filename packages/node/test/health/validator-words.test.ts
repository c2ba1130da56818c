import assert from 'node:assert/strict'
import { test } from 'node:test'
import { validatorWords } from '../../src/health/validator-words.ts'

const said = (validator: string, code: string, cause: string) => ({
  validator: `did:key:z${validator}` as const,
  code,
  cause,
  fix: 'x',
})

test('what several validators say is said once, with how many they are', () => {
  const faults = [said('First111', 'E_A', 'No.'), said('Second22', 'E_B', 'Late.'), said('Third333', 'E_A', 'No.')]
  assert.equal(validatorWords([]), '')
  assert.equal(validatorWords(faults), ' 2 validators: E_A: No. Validator Second22: E_B: Late.')
})

test('what stands there already is not said again', () => {
  const faults = [said('First111', 'E_A', 'No.'), said('Second22', 'E_A', 'No.'), said('Third333', 'E_A', 'Not so.')]
  assert.equal(validatorWords(faults, faults[0]), ' 2 validators say so. Validator Third333: Not so.')
  assert.equal(validatorWords(faults.slice(0, 1), faults[0]), ' Validator First111 says so.')
  assert.equal(validatorWords(faults.slice(0, 1), { code: 'E_A' }), ' Validator First111: No.')
})
