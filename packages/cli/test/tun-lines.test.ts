import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ipPacketLines } from '../src/output/tun-lines.ts'

test('what was dropped is told by reason, where anything was', () => {
  const traffic = {
    packets: { sent: 5, received: 6, malformed: 0, overflowed: 7, broken: 1 },
    bytes: { sent: 5_000, received: 600 },
    superPackets: { read: 1, split: 40, written: 2, merged: 50 },
  }
  assert.deepEqual(ipPacketLines(traffic), [
    '    bytes     5.0 kB sent, 600 B received; packets dropped: 7 overflowed, 1 broken',
    '    at once   40 packets from 1 super-packets of the system, 50 to it in 2',
  ])
  const none = ipPacketLines({ ...traffic, packets: { sent: 1, received: 1, broken: 0 } })
  assert.match(none[0] ?? '', /dropped: none$/)
})
