import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DidKey } from '@weft/crypto'
import fc from 'fast-check'
import { Evidence } from '../../src/liveness/evidence.ts'
import { distinctPlaces } from '../../src/liveness/observer-place.ts'
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

test('observers are counted as they are held, whatever came and went before, and by each place they are counted for', () => {
  const place = fc.record({ family: fc.constantFrom('a', 'b', 'c', 'd'), prefix: fc.constantFrom('1', '2', '3', '4') })
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('add' as const),
      observer: fc.nat(9),
      place,
      incarnation: fc.nat(2),
      at: fc.nat(60_000),
    }),
    fc.record({ kind: fc.constant('refute' as const), incarnation: fc.nat(2) }),
    fc.record({ kind: fc.constant('expire' as const), at: fc.nat(60_000) }),
    fc.record({ kind: fc.constant('clear' as const) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), place, place, (steps, own, other) => {
      const evidence = new Evidence()
      const held = new Map<number, ReturnType<typeof testimony>>()
      for (const one of steps) {
        if (one.kind === 'add') {
          const made = testimony(one.observer, one.place.family, one.place.prefix, one.incarnation, BEGIN + one.at)
          evidence.add(made)
          held.set(one.observer, made)
        } else if (one.kind === 'clear') {
          evidence.clear()
          held.clear()
        } else if (one.kind === 'refute') {
          evidence.refute(one.incarnation)
          for (const [at, { suspicion }] of held) if (suspicion.incarnation !== one.incarnation) held.delete(at)
        } else {
          evidence.expire(BEGIN + one.at)
          for (const [at, { suspicion }] of held) if (Math.abs(BEGIN + one.at - suspicion.at) > 30_000) held.delete(at)
        }
        const places = [...held.values()].map((made) => made.place)
        for (const from of [own, undefined, other, own])
          assert.equal(evidence.observers(from), distinctPlaces(places, from))
      }
    }),
    { numRuns: 300 },
  )
})
