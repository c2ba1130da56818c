import type { VpnStatusAnswer } from '@weft/node'
import { faultLines } from './fault-lines.ts'
import { shortId } from './format.ts'
import type { Output } from './output.ts'

/** How the tunnel of the whole machine stands. */
export function tunLines(tun: NonNullable<VpnStatusAnswer['tun']>, output: Output): string[] {
  const { interface: name, state, exit, ipv6, packets, fault } = tun
  const where =
    state === 'waiting'
      ? output.styled('yellow', 'no exit yet, and nothing leaves this machine')
      : `${output.styled('green', 'open')} to ${shortId(exit ?? '')}, ${ipv6 ? 'with IPv6' : 'without IPv6'}`
  return [
    `  tunnel      ${name}: ${where}; ${packets['sent'] ?? 0} packets sent, ${packets['received'] ?? 0} received`,
    ...(fault === undefined ? [] : faultLines(fault, output)),
  ]
}
