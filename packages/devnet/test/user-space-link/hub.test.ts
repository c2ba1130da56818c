import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@weft/core'
import { Hub } from '../../src/user-space-link/hub.ts'

const HOSTS = ['10.9.0.1', '10.9.0.2', '10.9.0.3']
/** ms, by who sends and who receives: no two alike. */
const DELAYS = [
  [0, 10, 20],
  [30, 0, 40],
  [50, 60, 0],
]

const hubOf = (count: number): Hub =>
  new Hub({
    hosts: HOSTS.slice(0, count),
    profiles: DELAYS.slice(0, count).map((row) => row.map((delayMs) => ({ delayMs, loss: 0 }))),
    random: seededRandom(1),
  })

/** An IPv4 header that has nothing but its version and where it leads. */
const packetTo = (host: string): Uint8Array => {
  const packet = new Uint8Array(20)
  packet[0] = 0x45
  packet.set(host.split('.').map(Number), 16)
  return packet
}

test('a packet goes where its destination is, as late as that pair of ends has it', () => {
  for (const [from, delays] of DELAYS.entries())
    for (const [to, delay] of delays.entries()) {
      if (from === to) continue
      const hub = hubOf(3)
      const packet = packetTo(HOSTS[to] as string)
      hub.send(from, packet, 5)
      assert.equal(hub.nextDue, 5 + delay)
      assert.equal(hub.receive(to, 4.9 + delay), undefined)
      for (const other of HOSTS.keys()) if (other !== to) assert.equal(hub.receive(other, 1_000), undefined)
      assert.equal(hub.receive(to, 5 + delay), packet)
      assert.equal(hub.nextDue, Number.POSITIVE_INFINITY)
    }
})

test('pairs do not wait for one another', () => {
  const hub = hubOf(3)
  const [late, early] = [packetTo('10.9.0.2'), packetTo('10.9.0.2')]
  hub.send(2, late, 0)
  hub.send(0, early, 1)
  assert.equal(hub.nextDue, 11)
  assert.equal(hub.receive(1, 11), early)
  assert.equal(hub.receive(1, 59), undefined)
  assert.equal(hub.receive(1, 60), late)
})

test('of more than two ends, what is for none of them, or for its own, is dropped', () => {
  const hub = hubOf(3)
  const ofIPv6 = new Uint8Array(40)
  ofIPv6[0] = 0x60
  for (const packet of [packetTo('10.9.0.4'), packetTo('10.9.0.1'), ofIPv6, new Uint8Array(19), new Uint8Array(0)])
    hub.send(0, packet, 0)
  assert.deepEqual([hub.strayed, hub.nextDue], [5, Number.POSITIVE_INFINITY])
})

test('of two ends, whatever comes from one goes to the other', () => {
  const hub = hubOf(2)
  const packet = packetTo('192.0.2.7')
  hub.send(0, packet, 0)
  hub.send(1, new Uint8Array(3), 0)
  assert.equal(hub.receive(1, 10), packet)
  assert.deepEqual(hub.receive(0, 30), new Uint8Array(3))
  assert.equal(hub.strayed, 0)
})
