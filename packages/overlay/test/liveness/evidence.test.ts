import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DidKey } from '@weft/crypto'
import { Evidence } from '../../src/liveness/evidence.ts'
import { BEGIN, testKeys } from '../fixtures.ts'
import { NETWORK } from './liveness-simulation.ts'

const ids = testKeys(20).map(({ id }) => id)
const id = (index: number): DidKey => ids[index] as DidKey
const envelope = { payload: new Uint8Array(1), signer: new Uint8Array(32), signature: new Uint8Array(64) }

function testimony(index: number, family: string, prefix: string, incarnation = 5, at = BEGIN) {
  const suspicion = { network: NETWORK, accused: new Uint8Array(32), incarnation, at }
  return { observer: id(index), place: { family, prefix }, suspicion, envelope }
}

test('evidence: one of a family and of a prefix, the newest of each observer, a bounded number', () => {
  const evidence = new Evidence()
  evidence.add(testimony(0, 'a', '1'))
  assert.ok(!evidence.wants(testimony(1, 'a', '2')) && !evidence.wants(testimony(1, 'b', '1')))
  assert.ok(!evidence.wants(testimony(0, 'a', '1')), 'the same again')
  assert.ok(evidence.wants(testimony(0, 'a', '1', 6)))
  assert.ok(evidence.wants(testimony(0, 'a', '1', 5, BEGIN + 10_000)))
  for (let at = 1; at < 16; at++) evidence.add(testimony(at, `f${at}`, `p${at}`))
  assert.ok(!evidence.wants(testimony(17, 'z', '99')))
  assert.equal(evidence.observers({ family: 'a', prefix: '7' }), 15)
  evidence.expire(BEGIN + 30_001)
  assert.equal(evidence.size, 0)
})

test('a sign of life takes back suspicions of every other incarnation', () => {
  const evidence = new Evidence()
  for (const [at, incarnation] of [4, 5, 6, 2 ** 50].entries()) {
    evidence.add(testimony(at, `f${at}`, `p${at}`, incarnation))
  }
  evidence.refute(6)
  assert.equal(evidence.size, 1)
})
