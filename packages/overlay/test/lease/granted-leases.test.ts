import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { VirtualClock, isWeftError } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { GrantedLeases } from '../../src/lease/granted-leases.ts'
import { BEGIN, codeOf } from '../fixtures.ts'

const HOUR = 3_600_000
const id = (at: number): DidKey => `did:key:z${at}`

test('an address has four, a network sixteen, and who has one keeps its place when it renews', async () => {
  const clock = new VirtualClock(BEGIN)
  const granted = new GrantedLeases(clock)
  const add = (at: number, host: string) => codeOf(() => granted.add(id(at), host, clock.now() + HOUR))
  for (let at = 0; at < 4; at++) assert.equal(await add(at, '192.0.2.1'), 'nothing')
  assert.equal(await add(4, '192.0.2.1'), 'E_LEASE_LIMIT')
  assert.equal(await add(3, '192.0.2.1'), 'nothing')
  for (let at = 4; at < 16; at++) assert.equal(await add(at, `192.0.2.${at}`), 'nothing')
  assert.equal(await add(16, '192.0.2.200'), 'E_LEASE_LIMIT')
  assert.equal(await add(16, '192.0.3.1'), 'nothing')
  assert.equal(await add(3, '192.0.3.1'), 'nothing', 'it moves')
  assert.equal(await add(17, '192.0.2.1'), 'nothing', 'its place is free')
  await clock.advance(HOUR)
  for (let at = 20; at < 24; at++) assert.equal(await add(at, '192.0.2.1'), 'nothing')
})

test('an IPv6 host is its /64, its network the /48, and an address in IPv6 form is the same', async () => {
  const clock = new VirtualClock(BEGIN)
  const granted = new GrantedLeases(clock)
  const add = (at: number, host: string) => codeOf(() => granted.add(id(at), host, clock.now() + HOUR))
  for (let at = 0; at < 4; at++) assert.equal(await add(at, `2001:db8:0:1::${at}`), 'nothing')
  assert.equal(await add(4, '2001:db8:0:1:ffff::1'), 'E_LEASE_LIMIT')
  for (let at = 4; at < 16; at++) assert.equal(await add(at, `2001:db8:0:${at}::1`), 'nothing')
  assert.equal(await add(16, '2001:db8:0:ffff::1'), 'E_LEASE_LIMIT')
  assert.equal(await add(16, '2001:db8:1::1'), 'nothing')
})

test('in all there are a thousand; loopback has no limit of its own below', async () => {
  const clock = new VirtualClock(BEGIN)
  const granted = new GrantedLeases(clock)
  for (let at = 0; at < 1_000; at++) granted.add(id(at), '127.0.0.1', clock.now() + HOUR)
  assert.equal(await codeOf(() => granted.add(id(1_000), '198.51.100.1', clock.now() + HOUR)), 'E_LEASE_LIMIT')
  assert.equal(await codeOf(() => granted.add(id(7), '127.0.0.1', clock.now() + HOUR)), 'nothing')
})

test('whoever asks for what, in whatever order, no limit is passed at any time', async () => {
  const step = fc.record({
    node: fc.nat(30),
    host: fc.tuple(fc.nat(2), fc.nat(6)).map(([net, host]) => `198.51.${net}.${host}`),
    lifeMs: fc.integer({ min: 1, max: HOUR }),
    afterMs: fc.nat(HOUR / 4),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 120 }), async (steps) => {
      const clock = new VirtualClock(BEGIN)
      const granted = new GrantedLeases(clock)
      const model = new Map<DidKey, { host: string; expiresAt: number }>()
      for (const { node, host, lifeMs, afterMs } of steps) {
        await clock.advance(afterMs)
        for (const [key, { expiresAt }] of model) if (expiresAt <= clock.now()) model.delete(key)
        const others = [...model].filter(([key]) => key !== id(node)).map(([, lease]) => lease.host)
        const net = (address: string): string => address.slice(0, address.lastIndexOf('.'))
        const hasRoom =
          others.filter((other) => other === host).length < 4 &&
          others.filter((other) => net(other) === net(host)).length < 16
        try {
          granted.add(id(node), host, clock.now() + lifeMs)
          assert.ok(hasRoom, `${host} had no room`)
          model.set(id(node), { host, expiresAt: clock.now() + lifeMs })
        } catch (error) {
          assert.ok(isWeftError(error, 'E_LEASE_LIMIT'), String(error))
          assert.ok(!hasRoom, `${host} had room`)
        }
      }
    }),
  )
})
