import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { ipToBytes } from '@weft/onion'
import { RefusedPackets, latestFailures } from '../../src/engine/refused-packets.ts'
import { isProhibition, prohibited } from '../../src/ip/icmp-error.ts'
import { IpHeader } from '../../src/ip/ip-header.ts'
import { makePacket } from '../ip/make-packet.ts'

const OWN4 = '100.70.0.9'
const OWN6 = 'fd12:3456:789a::6446:9'
const bytesOf = (address: string): Uint8Array => ipToBytes(address) ?? assert.fail()

/** Whether the client takes it for the exit's word that `from` prohibits a packet of its own. */
function isTaken(source: string, destination: string, from: string, change?: (error: Uint8Array) => void): boolean {
  const packet = makePacket({ source, destination })
  const header = new IpHeader()
  assert.ok(header.read(packet, packet.length))
  const room = new Uint8Array(1_280)
  const error = room.subarray(0, prohibited(header, packet, packet.length, bytesOf(from), room))
  change?.(error)
  assert.ok(header.read(error, error.length))
  return isProhibition(header, error, bytesOf(source))
}

test("an exit's word that it refused a packet is told from that of others, and from other words", () => {
  assert.ok(isTaken(OWN4, '10.0.0.1', '100.70.0.1'))
  assert.ok(isTaken(OWN6, 'fd00::1', 'fd12:3456:789a::6446:1'))
  for (const from of ['203.0.113.9', '100.128.0.1', '10.0.0.1']) assert.ok(!isTaken(OWN4, '10.0.0.1', from), from)
  assert.ok(!isTaken(OWN6, 'fd00::1', '2001:db8::1'))
  assert.ok(!isTaken(OWN4, '10.0.0.1', '100.70.0.1', (error) => (error[21] = 1)))
  assert.ok(!isTaken(OWN6, 'fd00::1', 'fd12:3456:789a::6446:1', (error) => (error[41] = 3)))
})

test('any number of refusals are one entry, which leaves room for 15 others', async () => {
  const clock = new VirtualClock()
  const refused = new RefusedPackets(clock)
  assert.deepEqual(refused.failures, [])
  const other = { code: 'E_TARGET_NAME', cause: 'c', fix: 'f', count: 1 }
  const others = Array.from({ length: 16 }, (_, i) => ({ ...other, at: clock.now() - i }))
  await clock.advance(10)
  for (let i = 0; i < 1_000; i++) refused.note()
  const [first, ...rest] = latestFailures(refused.failures, others)
  assert.deepEqual([first?.code, first?.count, first?.at], ['E_TARGET_POLICY', 1_000, clock.now()])
  assert.deepEqual(rest, others.slice(0, 15))
})
