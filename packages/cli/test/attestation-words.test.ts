import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attestationWords } from '../src/output/attestation-words.ts'

test('an attestation that is shorter than certificates live is noted', () => {
  assert.match(attestationWords(3_599_999, 3_600_000) ?? '', /live for 1 h 0 min, .* never show as attested/)
  assert.equal(attestationWords(3_600_000, 3_600_000), undefined)
  assert.equal(attestationWords(undefined, 3_600_000), undefined, 'a year')
})
