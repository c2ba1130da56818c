import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import { OwnLife } from '../../src/liveness/own-life.ts'
import { decodeSignOfLife } from '../../src/liveness/sign-of-life.ts'
import { statementSignatures } from '../../src/liveness/statement-signatures.ts'
import { BEGIN, testKeys } from '../fixtures.ts'
import { NETWORK } from './liveness-simulation.ts'

const [key] = testKeys(1) as [SigningKey]

test('own life: an incarnation rises above what is suspected, but not after what was never there', async () => {
  const clock = new VirtualClock(BEGIN)
  const life = new OwnLife(NETWORK, statementSignatures(key), clock)
  assert.equal(life.incarnation, BEGIN)
  assert.ok(!life.mustRefute(BEGIN - 1) && life.mustRefute(BEGIN))
  life.refute(BEGIN + 20)
  assert.equal(life.incarnation, BEGIN + 21)
  assert.ok(!life.mustRefute(BEGIN + 21), 'not so soon again')
  await clock.advance(500)
  assert.ok(life.mustRefute(BEGIN + 21))
  life.refute(2 ** 52)
  assert.equal(life.incarnation, BEGIN + 500 + 30_000 + 1)
})

test('own life: proofs are over nonces of their length, and so many at a time', () => {
  const life = new OwnLife(NETWORK, statementSignatures(key), new VirtualClock(BEGIN))
  assert.equal(life.prove(new Uint8Array(15)), undefined)
  const nonce = new Uint8Array(16).fill(9)
  assert.deepEqual(decodeSignOfLife(life.prove(nonce)?.payload as Uint8Array).nonce, nonce)
  const proofs = Array.from({ length: 300 }, () => life.prove(nonce)).filter((proof) => proof !== undefined)
  assert.equal(proofs.length, 199)
})
