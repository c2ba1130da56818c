import { LOAD_WORDS } from '@weft/overlay'
import { processResources } from '../health/process-resources.ts'
import type { ApiServices } from '../routes/api-services.ts'
import { VERSION } from '../version.ts'
import { BLOCK_CAUSES } from '../watch/block-cause.ts'
import { bridgeMetrics } from './bridge-metrics.ts'
import { type Metric, type Sample, counter, gauge, one } from './metric.ts'
import { s3Metrics } from './s3-metrics.ts'
import { vpnMetrics } from './vpn-metrics.ts'

const PEER_STATES = ['connected', 'connecting', 'unreachable'] as const
const ADMISSION_STATES = ['client', 'applying', 'certified', 'refused'] as const
const DIRECTIONS = ['put', 'get'] as const

/** Everything that is measured, read now. Seconds and bytes, as Prometheus wants units. */
export async function collectMetrics(services: ApiServices): Promise<readonly Metric[]> {
  return [
    ...nodeMetrics(services),
    ...networkMetrics(services),
    ...storageMetrics(services),
    ...s3Metrics(services.s3),
    ...vpnMetrics(await services.vpn.status()),
    ...bridgeMetrics(services.bridgeRole?.status()),
    ...apiMetrics(services),
  ]
}

function nodeMetrics({ faults, watch, startedAt }: ApiServices): Metric[] {
  const { rssBytes, privateBytes, cpuMs } = processResources()
  return [
    gauge('weft_build_info', 'Version of the daemon; always 1.', [{ labels: { version: VERSION }, value: 1 }]),
    gauge(
      'weft_fault',
      'A state that is not healthy, by its code; 1 while it lasts.',
      faults().map(({ code }) => ({ labels: { code }, value: 1 })),
      ['code'],
    ),
    gauge(
      'weft_main_thread_delay_seconds',
      'How late the main thread comes, 99th percentile of the last minute or two.',
      one(watch.p99Ms / 1000),
    ),
    counter(
      'weft_main_thread_blocks_total',
      'Times that something held the main thread for over 50 ms.',
      BLOCK_CAUSES.map((cause) => ({ labels: { cause }, value: watch.blocks.get(cause) ?? 0 })),
    ),
    gauge('process_resident_memory_bytes', 'Resident memory.', one(rssBytes)),
    gauge(
      'weft_process_private_memory_bytes',
      'Memory of this process alone.',
      privateBytes === undefined ? [] : one(privateBytes),
    ),
    counter('process_cpu_seconds_total', 'Processor time, user and system.', one(cpuMs / 1000)),
    gauge('process_start_time_seconds', 'Start of the daemon, seconds since the Unix epoch.', one(startedAt / 1000)),
  ]
}

function networkMetrics({ overlay, clock }: ApiServices): Metric[] {
  const peers = overlay.peers()
  const map = overlay.membership.status()
  const { state } = overlay.admission()
  const loads = [...overlay.loads.all().values()]
  const valid = (value: number | undefined): Sample[] => (value === undefined ? [] : one(value))
  return [
    gauge(
      'weft_peers',
      'Other members by the state of the link to them.',
      PEER_STATES.map((each) => ({
        labels: { state: each },
        value: peers.filter((peer) => peer.state === each).length,
      })),
    ),
    gauge('weft_members', 'Members in the newest signed map.', one(overlay.membership.members().length)),
    gauge('weft_map_epoch', 'Epoch of the newest signed map.', valid(map.epoch)),
    gauge(
      'weft_map_age_seconds',
      'Time since the newest map was signed.',
      valid(map.signedAt === undefined ? undefined : (clock.now() - map.signedAt) / 1000),
    ),
    gauge('weft_map_signatures', 'Validators that signed the newest map.', one(map.signatures)),
    gauge('weft_map_quorum', 'Signatures that a map needs.', one(map.quorum)),
    gauge(
      'weft_load',
      'Load of this node as it said it last, 0 (idle) to 4 (full); of nodes that carry packets.',
      valid(overlay.loads.get(overlay.self)?.step),
    ),
    gauge(
      'weft_loads',
      'Members that carry packets, by the load that they say; of nodes that hear of it.',
      LOAD_WORDS.map((load, step) => ({ labels: { load }, value: loads.filter((each) => each.step === step).length })),
    ),
    gauge(
      'weft_admission',
      'How this node stands towards the network; 1 for the state that holds.',
      ADMISSION_STATES.map((each) => ({ labels: { state: each }, value: each === state ? 1 : 0 })),
    ),
  ]
}

function storageMetrics({ storage, transfers }: ApiServices): Metric[] {
  const held = storage.held()
  const ended = DIRECTIONS.flatMap((kind) =>
    (['done', 'failed'] as const).map((state) => ({ labels: { kind, state }, value: transfers.totals[kind][state] })),
  )
  return [
    gauge('weft_shards_held', 'Shards that this node keeps for others.', one(held.shards)),
    gauge('weft_shard_bytes_held', 'Bytes that this node keeps for others.', one(held.bytes)),
    gauge('weft_shard_quota_bytes', 'Most that this node keeps for others.', one(held.quotaBytes)),
    gauge(
      'weft_shards_damaged',
      'Shards of these that the disk does not give back as they were put.',
      one(held.damaged),
    ),
    counter(
      'weft_shard_scrubbed_bytes_total',
      'Bytes of shards that were read to look for damage.',
      one(held.scrubbedBytes),
    ),
    counter('weft_transfers_total', 'Objects put and got that ended, by how.', ended),
    counter(
      'weft_put_holders_lost_total',
      'Holders that fell out of puts of this node: full, gone or slow.',
      one(transfers.holdersLost),
    ),
    gauge('weft_transfers_running', 'Objects being put or got.', one(transfers.running)),
    counter(
      'weft_transfer_bytes_total',
      'Bytes of objects put and got.',
      DIRECTIONS.map((kind) => ({ labels: { kind }, value: transfers.totals[kind].bytes })),
    ),
  ]
}

function apiMetrics({ counters, events }: ApiServices): Metric[] {
  const requests = counters.list().map(({ method, route, status, count, seconds }) => ({
    labels: { method, route, status: String(status) },
    count,
    seconds,
  }))
  const labels = ['method', 'route', 'status']
  return [
    counter(
      'weft_api_requests_total',
      'Requests to the API that were answered.',
      requests.map((each) => ({ labels: each.labels, value: each.count })),
      labels,
    ),
    counter(
      'weft_api_request_seconds_total',
      'Time that those requests took.',
      requests.map((each) => ({ labels: each.labels, value: each.seconds })),
      labels,
    ),
    gauge('weft_event_listeners', 'Clients that follow the events.', one(events.listeners)),
  ]
}
