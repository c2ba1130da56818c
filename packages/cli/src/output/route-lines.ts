import { type Fault, counted, printable } from '@weft/core'
import type { VpnExitsAnswer, VpnRouteAnswer, VpnStatusAnswer } from '@weft/node'
import { faultLines } from './fault-lines.ts'
import { formatBytes, formatDuration, shortId } from './format.ts'
import type { Output } from './output.ts'
import { formatTable } from './table.ts'

type RouteEvent = VpnRouteAnswer['events'][number]
type Leg = VpnRouteAnswer['legs'][number]
type State = VpnStatusAnswer['state']
type Other = VpnRouteAnswer['others'][number]
type Use = VpnExitsAnswer['exits'][number]['uses'][number]

/** What packets to an entry travel in. */
export const CARRIAGE_WORDS = { udp: 'over UDP', halves: 'over UDP in halves', tls: 'in TLS over TCP' } as const

const STATE_STYLES = { off: 'dim', connecting: 'yellow', connected: 'green', blocked: 'red' } as const

/** Of what happened; all with --long. */
const EVENTS = 5

/**
 * The state of the proxy and its route, and when it is blocked why.
 * @param tun how the tunnel of the machine stands, where there is to be one: while it does not, the head says so
 */
export function stateLines(
  state: State,
  fault: Fault | undefined,
  output: Output,
  tun?: NonNullable<VpnStatusAnswer['tun']>['state'],
): string[] {
  const head =
    state === 'connected' && tun !== undefined && tun !== 'open'
      ? output.styled('yellow', 'the proxy is connected, the tunnel is not')
      : output.styled(STATE_STYLES[state], state)
  return [
    `vpn  ${head}${state === 'off' ? ' (weft vpn up starts it)' : ''}`,
    ...(fault === undefined ? [] : faultLines(fault, output)),
  ]
}

/** The figures of a hop that only --long shows. */
const LONG_HEADINGS = ['SUITE', 'CARRIES', 'ANSWERS FOR']

function longCells({
  suite,
  bandwidthBytesPerSecond,
  upMs,
}: Pick<Leg['hops'][number], 'suite' | 'bandwidthBytesPerSecond' | 'upMs'>): string[] {
  return [
    suite ?? '-',
    bandwidthBytesPerSecond === undefined ? '-' : `${formatBytes(Math.round(bandwidthBytesPerSecond))}/s`,
    upMs === undefined ? '-' : formatDuration(upMs),
  ]
}

const EVENT_STYLES = {
  ready: 'green',
  back: 'green',
  improved: 'green',
  moved: 'cyan',
  rotated: 'cyan',
  degraded: 'yellow',
  lost: 'red',
  blocked: 'red',
} as const

/** What happened, the newest first, a line each. */
function eventLines(events: readonly RouteEvent[], now: number, output: Output): string[] {
  return events.map((event) => `  ${eventWords(event, output)}  (${formatDuration(now - event.at)} ago)`)
}

/** What happened, in one line. */
export function eventWords({ kind, cause }: RouteEvent, output: Output): string {
  return `${output.styled(EVENT_STYLES[kind], kind.padEnd(8))}  ${printable(cause)}`
}

/** What goes over a route, for people. */
export function useWords({ use, number }: Use): string {
  switch (use) {
    case 'proxy':
      return 'the proxy'
    case 'tunnel':
      return 'the whole machine'
    case 'credentials':
      return `user and password ${number}`
    case 'destination':
      return `destinations, group ${number}`
  }
}

/** Every route with what goes over it, the whole machine's first; of the proxy alone its legs as they are. */
export function routeLines(route: VpnRouteAnswer, now: number, long: boolean, output: Output): string[] {
  const { state, fault, legs, others } = route
  const lines = (all: readonly Leg[]): string[] => all.flatMap((leg) => legLines(leg, now, long, output))
  const ofOther = (other: Other): string[] => [...otherLines(other, output), ...lines(other.legs)]
  const proxy = others.length === 0 || legs.length === 0 ? [] : ['', `${useWords({ use: 'proxy' })}:`]
  return [
    ...stateLines(state, fault, output),
    ...others.filter(({ use }) => use === 'tunnel').flatMap(ofOther),
    ...proxy,
    ...lines(legs),
    ...others.filter(({ use }) => use !== 'tunnel').flatMap(ofOther),
  ]
}

/** All that is known of the routes: their legs, what goes over them, and what happened. */
export function wholeRouteLines(route: VpnRouteAnswer, now: number, long: boolean, output: Output): string[] {
  const { legs, others, throughput, events } = route
  const shown = eventLines(long ? events : events.slice(0, EVENTS), now, output)
  return [
    ...routeLines(route, now, long, output),
    ...(legs.length + others.length > 0 ? [`throughput  ${throughputWords(throughput)}`] : []),
    ...(shown.length === 0 ? [] : ['', 'What happened, the latest first:', ...shown]),
  ]
}

/** What goes over routes of its own, and how they stand. */
export function otherLines(other: Other, output: Output): string[] {
  const { state, fault } = other
  return [
    '',
    `${useWords(other)}: ${output.styled(STATE_STYLES[state], state)}`,
    ...(fault === undefined ? [] : faultLines(fault, output)),
  ]
}

/** One leg: a line of it as a whole and a table of its hops. */
export function legLines(leg: Leg, now: number, long: boolean, output: Output): string[] {
  const rtt = leg.rttMs === undefined ? 'round trip not measured yet' : `round trip ${milliseconds(leg.rttMs)}`
  return [
    `${leg.state}  ${rtt}, ${counted(leg.streams, 'connection')}, for ${formatDuration(now - leg.since)}${long ? `, ${CARRIAGE_WORDS[leg.carriage]}` : ''}${tierWords(leg.tier, long)}`,
    ...formatTable(
      ['  ROLE', 'NODE', 'PLACE', 'LATENCY', 'JITTER', 'LOSS', ...(long ? LONG_HEADINGS : []), 'HEALTH', 'WHY'],
      leg.hops.map(
        ({ role, node, country, region, simulated, latencyMs, jitterMs, lossPercent, health, reason, ...hop }) => [
          `  ${role}`,
          long ? node : shortId(node),
          placeWords(country, region, simulated),
          latencyMs === undefined ? '-' : milliseconds(latencyMs),
          jitterMs === undefined ? '-' : milliseconds(jitterMs),
          lossPercent === undefined ? '-' : `${lossPercent.toFixed(1)} %`,
          ...(long ? longCells(hop) : []),
          output.styled(health === 'unknown' ? 'dim' : health, health),
          reason,
        ],
      ),
    ),
    ...(leg.fault === undefined ? [] : faultLines(leg.fault, output)),
  ]
}

/** That a tier is not what was asked for is said always. */
function tierWords(tier: Leg['tier'], long: boolean): string {
  if (tier === undefined) return ''
  const { asked, taken } = tier
  if (taken === asked || taken === undefined) return long ? `, tier ${asked}${taken === asked ? '' : ' asked for'}` : ''
  return `, tier ${taken} in place of ${asked}: its hops do no more`
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
