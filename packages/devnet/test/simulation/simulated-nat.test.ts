import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import fc from 'fast-check'
import { type NatKind, SimulatedNat } from '../../src/simulation/simulated-nat.ts'

const A = '10.0.0.1:1'
const B = '10.0.0.1:2'

function nat(kind: NatKind, time = new VirtualClock()): SimulatedNat {
  return new SimulatedNat(kind, time)
}

test('a full cone lets everybody in, at the port that the machine has', () => {
  const router = nat('full-cone')
  assert.equal(router.out(20_000, A), 20_000)
  assert.ok(router.lets(4_780, B))
})

test('a restricted one shows the same port to all, and lets in whom the machine called, there only', () => {
  const router = nat('restricted')
  const port = router.out(20_000, A)
  assert.ok(router.lets(port, A))
  assert.ok(!router.lets(port, B), 'another port of the same host')
  assert.ok(!router.lets(4_780, A), 'a port that no call was made from')
  assert.equal(router.out(20_000, B), port)
  assert.ok(router.lets(port, B))
})

test('a symmetric one shows another port to each', () => {
  const router = nat('symmetric')
  const [toA, toB] = [router.out(20_000, A), router.out(20_000, B)]
  assert.notEqual(toA, toB)
  assert.equal(router.out(20_000, A), toA)
  assert.deepEqual([router.lets(toA, A), router.lets(toB, A)], [true, false])
})

test('a hole closes when nothing came in four minutes, and what is remembered stays bounded', async () => {
  const time = new VirtualClock()
  const router = nat('restricted', time)
  router.out(20_000, A)
  await time.advance(240_000)
  assert.ok(router.lets(20_000, A))
  await time.advance(1)
  assert.ok(!router.lets(20_000, A))
  for (let at = 0; at < 10_000; at++) {
    router.out(20_000, `10.1.${at >> 8}.${at & 255}:1`)
    await time.advance(1_000)
  }
  assert.ok(router.remembered <= 512, `${router.remembered}`)
})

test('whoever was not called is not let in, whatever was called before', () => {
  const kinds = fc.constantFrom<NatKind>('restricted', 'symmetric')
  const calls = fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 20 })), { maxLength: 30 })
  fc.assert(
    fc.property(kinds, calls, fc.integer({ min: 21, max: 30 }), (kind, called, stranger) => {
      const router = nat(kind)
      const ports = called.map(([port, to]) => router.out(port, `10.0.0.${to}:1`))
      assert.ok(ports.every((port) => !router.lets(port, `10.0.0.${stranger}:1`)))
      called.forEach(([, to], at) => assert.ok(router.lets(ports[at] as number, `10.0.0.${to}:1`)))
    }),
  )
})
