import type { Fault } from '@weft/core'
import type { VpnRouteAnswer, VpnStatusAnswer } from '@weft/node'
import { faultLines } from './fault-lines.ts'
import { formatBytes, formatDuration, shortId } from './format.ts'
import type { Output } from './output.ts'
import { formatTable } from './table.ts'

type Leg = VpnRouteAnswer['legs'][number]
type State = VpnStatusAnswer['state']

/** What packets to an entry travel in. */
export const CARRIAGE_WORDS = { udp: 'over UDP', halves: 'over UDP in halves', tls: 'in TLS over TCP' } as const

const STATE_STYLES = { off: 'dim', connecting: 'yellow', connected: 'green', blocked: 'red' } as const

/** The state of the proxy and its route, and when it is blocked why. */
export function stateLines(state: State, fault: Fault | undefined, output: Output): string[] {
  return [
    `vpn  ${output.styled(STATE_STYLES[state], state)}${state === 'off' ? ' (weft vpn up starts it)' : ''}`,
    ...(fault === undefined ? [] : faultLines(fault, output)),
  ]
}

/** One leg: a line of it as a whole and a table of its hops. */
export function legLines(leg: Leg, now: number, long: boolean, output: Output): string[] {
  const rtt = leg.rttMs === undefined ? 'round trip not measured yet' : `round trip ${milliseconds(leg.rttMs)}`
  return [
    `${leg.state}  ${rtt}, ${leg.streams} connections, for ${formatDuration(now - leg.since)}${long ? `, ${CARRIAGE_WORDS[leg.carriage]}` : ''}`,
    ...formatTable(
      ['  ROLE', 'NODE', 'PLACE', 'LATENCY', ...(long ? ['SUITE'] : []), 'HEALTH', 'WHY'],
      leg.hops.map(({ role, node, country, region, simulated, latencyMs, suite, health, reason }) => [
        `  ${role}`,
        long ? node : shortId(node),
        placeWords(country, region, simulated),
        latencyMs === undefined ? '-' : milliseconds(latencyMs),
        ...(long ? [suite ?? '-'] : []),
        output.styled(health, health),
        reason,
      ]),
    ),
    ...(leg.fault === undefined ? [] : faultLines(leg.fault, output)),
  ]
}

export function throughputWords({
  sentBytesPerSecond,
  receivedBytesPerSecond,
  sentBytes,
  receivedBytes,
}: VpnRouteAnswer['throughput']): string {
  const rate = (bytes: number): string => `${formatBytes(Math.round(bytes))}/s`
  return `${rate(sentBytesPerSecond)} up, ${rate(receivedBytesPerSecond)} down; ${formatBytes(sentBytes)} sent, ${formatBytes(receivedBytes)} received in all`
}

export function placeWords(country: string, region: string, simulated: boolean): string {
  return `${country} ${region}${simulated ? ' (simulated)' : ''}`
}

function milliseconds(ms: number): string {
  return `${ms.toFixed(1)} ms`
}
