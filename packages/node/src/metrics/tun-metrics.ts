import type { ExitIpStatus, TunStatus } from '@weft/vpn'
import { type Metric, type Sample, counter, gauge, one } from './metric.ts'

const STATES = ['off', 'waiting', 'open', 'failed', 'shut'] as const
const WAYS = ['sent', 'received'] as const

/**
 * Of IP packets: those of this machine (`end` is client) and, at an exit, those of its clients (`end` is exit). Either has samples where
 * there is an interface for it.
 */
export function tunMetrics(tun: TunStatus | undefined, exitIp: ExitIpStatus | undefined): Metric[] {
  const ends = [
    ...(tun === undefined || tun.state === 'failed' || tun.state === 'shut' ? [] : [{ end: 'client', ...tun }]),
    ...(exitIp === undefined ? [] : [{ end: 'exit', ...exitIp }]),
  ]
  const each = (pick: (status: (typeof ends)[number]) => readonly Sample[]): Sample[] =>
    ends.flatMap((status) =>
      pick(status).map(({ labels, value }) => ({ labels: { end: status.end, ...labels }, value })),
    )
  const state = tun?.state ?? 'off'
  return [
    gauge(
      'weft_tun',
      'State of the tunnel for this whole machine; 1 for the one that holds.',
      STATES.map((name) => ({ labels: { state: name }, value: name === state ? 1 : 0 })),
    ),
    gauge(
      'weft_exit_ip_clients',
      'Clients whose IP packets this exit carries.',
      exitIp === undefined ? [] : one(exitIp.clients),
    ),
    counter(
      'weft_tun_packets_total',
      'IP packets of whole machines, as the client has it: end is client for those of this one, exit for those of the clients of this exit.',
      each(({ packets }) => WAYS.map((direction) => ({ labels: { direction }, value: packets[direction] ?? 0 }))),
      ['end', 'direction'],
    ),
    counter(
      'weft_tun_bytes_total',
      'Bytes of those packets, with their headers.',
      each(({ bytes }) => WAYS.map((direction) => ({ labels: { direction }, value: bytes[direction] }))),
      ['end', 'direction'],
    ),
    counter(
      'weft_tun_packets_dropped_total',
      'IP packets of whole machines that were dropped, by reason.',
      each(({ packets }) =>
        Object.entries(packets)
          .filter(([reason]) => reason !== 'sent' && reason !== 'received')
          .map(([reason, value]) => ({ labels: { reason }, value })),
      ),
      ['end', 'reason'],
    ),
    counter(
      'weft_tun_super_packets_total',
      'Super-packets that were read from the system and split, and that were merged and written to it.',
      each(({ superPackets: { read, written } }) => [
        { labels: { kind: 'split' }, value: read },
        { labels: { kind: 'merged' }, value: written },
      ]),
      ['end', 'kind'],
    ),
    counter(
      'weft_tun_super_packet_parts_total',
      'Packets that those were split into, or merged of.',
      each(({ superPackets: { split, merged } }) => [
        { labels: { kind: 'split' }, value: split },
        { labels: { kind: 'merged' }, value: merged },
      ]),
      ['end', 'kind'],
    ),
  ]
}
