import { counted } from '@weft/core'
import type { VpnStatusAnswer } from '@weft/node'
import { faultLines } from './fault-lines.ts'
import { formatDuration } from './format.ts'
import { killSwitchLine } from './kill-switch-lines.ts'
import type { Output } from './output.ts'
import { pendingLines, warningLines } from './profile-lines.ts'
import { ipPacketLines, tunLines } from './tun-lines.ts'
import { CARRIAGE_WORDS, legLines, otherLines, stateLines, throughputWords } from './route-lines.ts'

type Leg = VpnStatusAnswer['route']['legs'][number]
type Use = VpnStatusAnswer['others'][number]['use']

const MORE = [
  ['spare', 'in readiness'],
  ['building', 'being built'],
  ['silent', 'silent'],
] as const

/** How the VPN stands, for people. */
export function vpnLines(status: VpnStatusAnswer, now: number, long: boolean, output: Output): string[] {
  const { state, fault, profile, proxy, dns, tun, killSwitch, streams, failures, route, others, carriage, carried } =
    status
  const tunnel = others.find(({ use }) => use === 'tunnel')
  const ofUse = (wanted: Use): number => others.filter(({ use }) => use === wanted).length
  return [
    ...stateLines(state, fault, output, tun?.state),
    `  profile     ${profile.name}`,
    ...pendingLines(profile.pending).map((line) => `    ${line}`),
    ...warningLines(profile.warnings, output),
    ...(proxy === undefined ? [] : [`  proxy       socks5h://${proxy.host}:${proxy.port}`]),
    ...(dns === undefined ? [] : [`  dns         ${dns.host}:${dns.port}, UDP and TCP`]),
    ...(tun === undefined ? [] : tunLines(tun, long, output)),
    ...(killSwitch === undefined ? [] : [killSwitchLine(killSwitch, output)]),
    ...(killSwitch?.state === 'damaged' && killSwitch.fault !== undefined ? faultLines(killSwitch.fault, output) : []),
    `  streams     ${streams.open} open, ${streams.opened} opened, ${streams.failed} failed`,
    `  throughput  ${throughputWords(route.throughput)}`,
    ...carriageLines(carriage),
    ...firstLegLines(route.legs, now, long, output),
    ...(tunnel === undefined
      ? []
      : [...otherLines(tunnel, output), ...firstLegLines(tunnel.legs, now, long, output), '']),
    ...haveRouteLines(ofUse('credentials'), 'user and password has', 'users and passwords have'),
    ...haveRouteLines(ofUse('destination'), 'group of destinations has', 'groups of destinations have'),
    ...(carried === undefined ? [] : carriedLines(carried, long, output)),
    ...(failures.length === 0 ? [] : ['', 'What failed, the latest first (targets are kept nowhere):']),
    ...failures.flatMap((failure) => [
      `  ${formatDuration(now - failure.at)} ago${failure.count === 1 ? '' : `, ${failure.count} times`}`,
      ...faultLines(failure, output),
    ]),
  ]
}

function haveRouteLines(count: number, one: string, more: string): string[] {
  return count === 0 ? [] : [`${counted(count, one, more)} a route: weft vpn route`]
}

/** The one in use, where there is one, and how many there are beside it. */
function firstLegLines([first, ...more]: readonly Leg[], now: number, long: boolean, output: Output): string[] {
  if (first === undefined) return []
  const counts = MORE.flatMap(([state, words]) => {
    const count = more.filter((leg) => leg.state === state).length
    return count === 0 ? [] : [`${count} ${words}`]
  })
  return [
    ...legLines(first, now, long, output),
    ...(counts.length === 0 ? [] : [`beside it ${counts.join(', ')}: weft vpn route`]),
  ]
}

/** Nothing where it is as usual. */
function carriageLines({ over, reason }: VpnStatusAnswer['carriage']): string[] {
  return reason === '' ? [] : [`  packets go  ${CARRIAGE_WORDS[over]}: ${reason}`]
}

function carriedLines(
  {
    circuits,
    links,
    inTls,
    exitStreams,
    exitChannels,
    memberStreams,
    exitIp,
    packetsReceived,
    packetsSent,
    packetsForwarded,
    packetsWaiting,
    packetsDropped,
  }: NonNullable<VpnStatusAnswer['carried']>,
  long: boolean,
  output: Output,
): string[] {
  const dropped = Object.entries(packetsDropped).filter(([, count]) => count > 0)
  const words = dropped.map(([reason, count]) => `${count} ${reason}`).join(', ')
  return [
    `carries for others  ${counted(circuits, 'circuit')} over ${counted(links, 'link')}${inTls === 0 ? '' : `, of clients ${inTls} in TLS`}, ${counted(exitStreams, 'connection')} and ${counted(exitChannels, 'UDP channel')} out, ${counted(memberStreams, 'connection')} to members${exitIp === undefined ? '' : `, IP packets of ${counted(exitIp.clients, 'client')}`}`,
    ...(exitIp === undefined || !long
      ? []
      : [
          `  IP packets  ${exitIp.packets['sent'] ?? 0} of clients sent, ${exitIp.packets['received'] ?? 0} received for them`,
          ...ipPacketLines(exitIp),
        ]),
    ...(exitIp?.fault === undefined ? [] : faultLines(exitIp.fault, output)),
    `  packets     ${packetsReceived} received, ${packetsSent} sent, ${packetsForwarded} forwarded, ${packetsWaiting} wait; dropped: ${words === '' ? 'none' : words}`,
  ]
}
