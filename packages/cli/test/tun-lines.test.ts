import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { Output } from '../src/output/output.ts'
import { ipPacketLines, tunLines } from '../src/output/tun-lines.ts'

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

test('a tunnel that is not there says whether anything leaves this machine, why, and what to do', () => {
  const tun = {
    interface: 'weft0',
    mtu: 1280,
    ipv6: false,
    packets: { sent: 0, received: 0 },
    bytes: { sent: 0, received: 0 },
    superPackets: { read: 0, split: 0, written: 0, merged: 0 },
    fault: { code: 'E_TUN_LEFT', cause: 'Because.', fix: 'Do.' },
  }
  const stream = new PassThrough() as never
  const lines = (state: 'failed' | 'shut'): string =>
    tunLines({ ...tun, state }, true, new Output(false, stream, stream)).join()
  assert.match(lines('failed'), /packets go their own way.*E_TUN_LEFT.*Because.*Do\./s)
  assert.match(lines('shut'), /nothing leaves this machine.*E_TUN_LEFT.*Because.*Do\./s)
})
