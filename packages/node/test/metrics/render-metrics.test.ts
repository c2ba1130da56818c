import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import type { VpnInit } from '@weft/vpn'
import { EventRing } from '../../src/events/event-ring.ts'
import { TransferLog } from '../../src/events/transfer-log.ts'
import { RequestCounters } from '../../src/http/request-counters.ts'
import { collectMetrics } from '../../src/metrics/collect-metrics.ts'
import { metricsReference } from '../support/metrics-reference.ts'
import type { ApiServices } from '../../src/routes/api-services.ts'
import { FakeOverlay } from '../support/fake-overlay.ts'
import { FakeStorage } from '../support/fake-storage.ts'
import { FakeVpn } from '../support/fake-vpn.ts'
import { call } from '../support/http.ts'
import { startTestDaemon } from '../support/test-daemon.ts'

/** Samples of the text format (Prometheus exposition format 0.0.4) by name with labels. */
function samplesOf(text: string): Map<string, number> {
  const samples = new Map<string, number>()
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const match = /^([a-z0-9_]+(?:\{[^}]*\})?) (\S+)$/.exec(line)
    assert.ok(match !== null, `not a sample: ${line}`)
    samples.set(match[1] as string, Number(match[2]))
  }
  return samples
}

test('metrics tell peers, map, shards, transfers, requests and faults', async (t) => {
  const { socket, overlay, storage } = await startTestDaemon(t)
  overlay.mapStatus = { ...overlay.mapStatus, fault: { code: 'E_MAP_STALE', cause: 'old', fix: 'wait' } }
  storage.emitter.emit('transfer', {
    id: 't',
    kind: 'put',
    object: 'o',
    bytes: 500,
    total: 500,
    state: 'done',
    fault: undefined,
  })
  await call({ socketPath: socket, path: '/livez' })
  await call({ socketPath: socket, path: '/some.where' })
  const answer = await call({ socketPath: socket, path: '/metrics' })
  assert.match(String(answer.headers['content-type']), /^text\/plain; version=0\.0\.4/)
  const samples = samplesOf(answer.text)
  assert.equal(samples.get('weft_peers{state="connected"}'), 2)
  assert.equal(samples.get('weft_peers{state="unreachable"}'), 0)
  assert.equal(samples.get('weft_map_epoch'), 7)
  assert.equal(samples.get('weft_shards_held'), 1)
  assert.equal(samples.get('weft_shards_damaged'), 4)
  assert.equal(samples.get('weft_shard_scrubbed_bytes_total'), 5)
  assert.equal(samples.get('weft_transfers_total{kind="put",state="done"}'), 1)
  assert.equal(samples.get('weft_transfer_bytes_total{kind="put"}'), 500)
  assert.equal(samples.get('weft_fault{code="E_MAP_STALE"}'), 1)
  assert.equal(samples.get('weft_api_requests_total{method="GET",route="/livez",status="200"}'), 1)
  assert.equal(samples.get('weft_api_requests_total{method="ANY",route="unmatched",status="404"}'), 1)
  assert.equal(samples.get('weft_admission{state="client"}'), 1)
  assert.ok((samples.get('process_resident_memory_bytes') ?? 0) > 1e7)
  for (const [name, value] of samples) assert.ok(Number.isFinite(value), name)
})

test('faults that went are told no more', async (t) => {
  const { socket, overlay } = await startTestDaemon(t)
  const before = overlay.mapStatus
  overlay.mapStatus = { ...before, fault: { code: 'E_MAP_STALE', cause: 'old', fix: 'wait' } }
  assert.match((await call({ socketPath: socket, path: '/metrics' })).text, /E_MAP_STALE/)
  overlay.mapStatus = before
  assert.doesNotMatch((await call({ socketPath: socket, path: '/metrics' })).text, /weft_fault\{/)
})

test('docs/metrics.md names every metric', async () => {
  const metrics = await collectMetrics({
    overlay: new FakeOverlay('did:key:zself'),
    storage: new FakeStorage(),
    s3: { status: () => ({ state: 'down', keys: 0, running: 0 }), answers: () => [] },
    vpn: new FakeVpn({ keys: {} } as unknown as VpnInit),
    transfers: new TransferLog(),
    counters: new RequestCounters(),
    events: new EventRing('boot'),
    clock: new VirtualClock(),
    watch: { p99Ms: 0, blocks: new Map() },
    faults: () => [],
    startedAt: 0,
  } as unknown as ApiServices)
  const docs = new URL('../../../../docs/metrics.md', import.meta.url)
  if (process.env['WEFT_TEST_WRITE_DOCS'] === '1') writeFileSync(docs, metricsReference(metrics))
  assert.equal(readFileSync(docs, 'utf8'), metricsReference(metrics), 'run the tests with WEFT_TEST_WRITE_DOCS=1')
})
