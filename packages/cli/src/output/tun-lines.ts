import type { VpnStatusAnswer } from '@weft/node'
import { faultLines } from './fault-lines.ts'
import { formatBytes, shortId } from './format.ts'
import type { Output } from './output.ts'

type Tun = NonNullable<VpnStatusAnswer['tun']>

const ABSENT = {
  failed: 'none: it could not be opened, and packets go their own way',
  shut: 'none, and nothing leaves this machine',
} as const

/** How the tunnel of the whole machine stands. */
export function tunLines(tun: Tun, long: boolean, output: Output): string[] {
  const { interface: name, state, exit, ipv6, packets, fault } = tun
  if (state === 'failed' || state === 'shut')
    return [
      `  tunnel      ${output.styled('red', ABSENT[state])}`,
      ...(fault === undefined ? [] : faultLines(fault, output)),
    ]
  const where =
    state === 'waiting'
      ? output.styled('yellow', 'no exit yet, and nothing leaves this machine')
      : `${output.styled('green', 'open')} to ${shortId(exit ?? '')}, ${ipv6 ? 'with IPv6' : 'without IPv6'}`
  return [
    `  tunnel      ${name}: ${where}; ${packets['sent'] ?? 0} packets sent, ${packets['received'] ?? 0} received`,
    ...(long ? ipPacketLines(tun) : []),
    ...(fault === undefined ? [] : faultLines(fault, output)),
  ]
}

/** Bytes, what was dropped and why, and what the system gave and took at once. */
export function ipPacketLines({
  packets,
  bytes,
  superPackets,
}: Pick<Tun, 'packets' | 'bytes' | 'superPackets'>): string[] {
  const { read, split, written, merged } = superPackets
  const dropped = Object.entries(packets).filter(
    ([reason, count]) => reason !== 'sent' && reason !== 'received' && count > 0,
  )
  const words = dropped.map(([reason, count]) => `${count} ${reason}`).join(', ')
  return [
    `    bytes     ${formatBytes(bytes.sent)} sent, ${formatBytes(bytes.received)} received; packets dropped: ${words === '' ? 'none' : words}`,
    `    at once   ${split} packets from ${read} super-packets of the system, ${merged} to it in ${written}`,
  ]
}
