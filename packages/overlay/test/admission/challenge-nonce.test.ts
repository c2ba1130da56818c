import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fromHex, seededRandom, toHex } from '@weft/core'
import { challengeNonce, isChallengeOf } from '../../src/admission/challenge-nonce.ts'

const random = seededRandom(1)

test('a challenge is known by the application that it was drawn for, and by no other', () => {
  const [application, other] = [random.bytes(16), random.bytes(16)]
  const [one, two] = [challengeNonce(random, application), challengeNonce(random, application)]
  assert.equal(one.length, 32)
  assert.notDeepEqual(one, two)
  for (const nonce of [one, two]) {
    assert.ok(isChallengeOf(nonce, application))
    assert.ok(!isChallengeOf(nonce, other))
  }
  const mixed = Buffer.concat([one.subarray(0, 16), two.subarray(16)])
  for (const wrong of [mixed, random.bytes(32), one.subarray(0, 31), new Uint8Array(), Buffer.concat([one, one])])
    assert.ok(!isChallengeOf(wrong, application))
})

test('admission.json: challengeNonce', () => {
  const { challengeNonce: vector } = JSON.parse(
    readFileSync(join(import.meta.dirname, '../vectors/admission.json'), 'utf8'),
  ) as { challengeNonce: Readonly<Record<'application' | 'drawn' | 'nonce', string>> }
  const drawn = fromHex(vector.drawn)
  assert.equal(toHex(challengeNonce({ bytes: () => drawn }, fromHex(vector.application))), vector.nonce)
})
