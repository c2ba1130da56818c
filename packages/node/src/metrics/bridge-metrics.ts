import type { BridgeStatus } from '@weft/bridge'
import { type Metric, type Sample, counter, gauge, one } from './metric.ts'

/** Of a node that is a bridge; without samples on all others. Nothing says who its clients are. */
export function bridgeMetrics(status: BridgeStatus | undefined): Metric[] {
  const of = (pick: (each: BridgeStatus) => number): Sample[] => (status === undefined ? [] : one(pick(status)))
  return [
    gauge(
      'weft_bridge_connections',
      'Connections to this bridge, those of strangers included.',
      of(({ connections }) => connections),
    ),
    gauge(
      'weft_bridge_clients',
      'Invitations to this bridge that have a stream.',
      of(({ clients }) => clients),
    ),
    gauge(
      'weft_bridge_streams',
      'Streams to members by this bridge.',
      of(({ streams }) => streams),
    ),
    counter(
      'weft_bridge_streams_opened_total',
      'Such streams that were opened.',
      of(({ opened }) => opened),
    ),
    counter(
      'weft_bridge_bytes_total',
      'Bytes by this bridge, each way.',
      status === undefined
        ? []
        : [
            { labels: { direction: 'clients' }, value: status.toClients },
            { labels: { direction: 'members' }, value: status.toMembers },
          ],
      ['direction'],
    ),
    counter(
      'weft_bridge_refused_total',
      'Connections and streams that this bridge refused, by reason.',
      Object.entries(status?.refused ?? {}).map(([reason, value]) => ({ labels: { reason }, value })),
      ['reason'],
    ),
  ]
}
