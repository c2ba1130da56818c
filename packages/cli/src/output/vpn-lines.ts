import type { VpnStatusAnswer } from '@weft/node'
import { faultLines } from './fault-lines.ts'
import { formatDuration } from './format.ts'
import type { Output } from './output.ts'
import { ipPacketLines, tunLines } from './tun-lines.ts'
import { CARRIAGE_WORDS, legLines, stateLines, throughputWords } from './route-lines.ts'

/** How the VPN stands, for people. */
export function vpnLines(status: VpnStatusAnswer, now: number, long: boolean, output: Output): string[] {
  const { state, fault, proxy, dns, tun, streams, failures, route, carriage, carried } = status
  const [used, ...others] = route.legs
  return [
    ...stateLines(state, fault, output),
    ...(proxy === undefined ? [] : [`  proxy       socks5h://${proxy.host}:${proxy.port}`]),
    ...(dns === undefined ? [] : [`  dns         ${dns.host}:${dns.port}, UDP and TCP`]),
    ...(tun === undefined ? [] : tunLines(tun, long, output)),
    `  streams     ${streams.open} open, ${streams.opened} opened, ${streams.failed} failed`,
    `  throughput  ${throughputWords(route.throughput)}`,
    ...carriageLines(carriage),
    ...(used === undefined ? [] : legLines(used, now, long, output)),
    ...(others.length === 0 ? [] : [`${others.length} more in readiness: weft vpn route`]),
    ...(carried === undefined ? [] : carriedLines(carried, long, output)),
    ...(failures.length === 0 ? [] : ['', 'Requests that failed, the latest first (their targets are kept nowhere):']),
    ...failures.flatMap((failure) => [
      `  ${formatDuration(now - failure.at)} ago${failure.count === 1 ? '' : `, ${failure.count} times`}`,
      ...faultLines(failure, output),
    ]),
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
    `carries for others  ${circuits} circuits over ${links} links${inTls === 0 ? '' : `, of clients ${inTls} in TLS`}, ${exitStreams} connections and ${exitChannels} UDP channels out, ${memberStreams} connections to members${exitIp === undefined ? '' : `, IP packets of ${exitIp.clients} clients`}`,
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
