import type { CarriedStatus, VpnStatus } from '@weft/vpn'
import { type Metric, type Sample, counter, gauge, one } from './metric.ts'
import { receiptMetrics } from './receipt-metrics.ts'
import { tunMetrics } from './tun-metrics.ts'

const STATES = ['off', 'connecting', 'connected', 'blocked'] as const

/** Of the proxy and its route, and of what this node carries for others; the latter has samples on such nodes only. */
export function vpnMetrics({ state, tun, streams, route, services, carried, receipts }: VpnStatus): Metric[] {
  const { throughput, rttMs } = route
  const carries = (pick: (status: CarriedStatus) => number): Sample[] =>
    carried === undefined ? [] : one(pick(carried))
  return [
    gauge(
      'weft_vpn',
      'State of the proxy and its route; 1 for the one that holds.',
      STATES.map((each) => ({ labels: { state: each }, value: each === state ? 1 : 0 })),
    ),
    gauge('weft_route_rtt_seconds', 'Round trip to the exit in use.', rttMs === undefined ? [] : one(rttMs / 1000)),
    gauge('weft_proxy_streams', 'Connections over the proxy that are open.', one(streams.open)),
    counter(
      'weft_proxy_streams_opened_total',
      'Connections over the proxy that reached their target.',
      one(streams.opened),
    ),
    counter('weft_proxy_streams_failed_total', 'Connections over the proxy that did not.', one(streams.failed)),
    counter(
      'weft_route_bytes_total',
      'Bytes of users over the routes, each way.',
      (['sent', 'received'] as const).map((direction) => ({
        labels: { direction },
        value: throughput[`${direction}Bytes`],
      })),
    ),
    gauge('weft_service_routes', 'Transfers that have routes of their own to members.', one(services.routes)),
    counter(
      'weft_service_bytes_total',
      'Bytes over routes to services of members, each way.',
      (['sent', 'received'] as const).map((direction) => ({
        labels: { direction },
        value: services[`${direction}Bytes`],
      })),
    ),
    ...tunMetrics(tun, carried?.exitIp),
    ...receiptMetrics(receipts),
    gauge(
      'weft_circuits',
      'Circuits of others that this node carries.',
      carries(({ circuits }) => circuits),
    ),
    gauge(
      'weft_packet_links',
      'Links for packets to other nodes and clients.',
      carries(({ links }) => links),
    ),
    gauge(
      'weft_exit_streams',
      'Connections that this exit holds to targets.',
      carries(({ exitStreams }) => exitStreams),
    ),
    gauge(
      'weft_exit_channels',
      'Channels of datagrams (UDP) that clients have at this exit.',
      carries(({ exitChannels }) => exitChannels),
    ),
    gauge(
      'weft_member_streams',
      'Connections to services of members by circuits that end at this node.',
      carries(({ memberStreams }) => memberStreams),
    ),
    counter(
      'weft_member_streams_opened_total',
      'Such connections that were made.',
      carries(({ memberStreamsOpened }) => memberStreamsOpened),
    ),
    counter(
      'weft_packets_received_total',
      'Packets that came in.',
      carries(({ packetsReceived }) => packetsReceived),
    ),
    counter(
      'weft_packets_sent_total',
      'Packets that went out.',
      carries(({ packetsSent }) => packetsSent),
    ),
    counter(
      'weft_packets_forwarded_total',
      "Cells of others' circuits.",
      carries(({ packetsForwarded }) => packetsForwarded),
    ),
    gauge(
      'weft_packets_waiting',
      "Cells of others' circuits that wait for their turn.",
      carries(({ packetsWaiting }) => packetsWaiting),
    ),
    counter(
      'weft_packets_waited_total',
      "Cells of others' circuits that went on after they had waited, by what their circuits asked for.",
      Object.entries(carried?.packetsWaited ?? {}).map(([name, value]) => ({ labels: { class: name }, value })),
      ['class'],
    ),
    counter(
      'weft_packets_dropped_total',
      'Packets that were dropped, by reason.',
      Object.entries(carried?.packetsDropped ?? {}).map(([reason, value]) => ({ labels: { reason }, value })),
      ['reason'],
    ),
    counter(
      'weft_packet_port_events_total',
      'Batches that went packet by packet, and connections in TLS that were refused or sent what is no packet, by kind.',
      Object.entries(carried?.portEvents ?? {}).map(([kind, value]) => ({ labels: { kind }, value })),
      ['kind'],
    ),
  ]
}
