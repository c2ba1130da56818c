import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SeatLimits, type Seated } from '../../src/committee/seat-limits.ts'

/** How many of these get a seat, one after the other. */
function seatedOf(all: readonly Seated[]): number {
  const limits = new SeatLimits()
  return all.filter((one) => {
    const allowed = limits.allows(one)
    if (allowed) limits.take(one)
    return allowed
  }).length
}

test('two of a family have seats, wherever they are', () => {
  const family = (name: string) =>
    Array.from({ length: 4 }, (_, at) => ({ family: name, diversityAddress: `10.0.${at}.1` }))
  assert.equal(seatedOf(family('one')), 2)
  assert.equal(seatedOf(family('one').map((one, at) => ({ ...one, family: `family ${at}` }))), 4)
})

test('two of a /24 or /48 have seats, however an address is written', () => {
  const addresses = [
    '2001:db8:1::1',
    '2001:db8:1:2::1',
    '2001:db8:1:3::1',
    '192.0.2.1',
    '::ffff:192.0.2.2',
    '192.0.2.3',
    '198.51.100.1',
  ]
  assert.equal(seatedOf(addresses.map((diversityAddress, at) => ({ family: `family ${at}`, diversityAddress }))), 5)
})
