import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { VpnRouteAnswer, VpnStatusAnswer } from '@weft/node'
import { Output } from '../src/output/output.ts'
import { legLines, routeLines } from '../src/output/route-lines.ts'
import { vpnLines } from '../src/output/vpn-lines.ts'

type Leg = VpnRouteAnswer['legs'][number]

const output = new Output(false)
const NOW = 10_000
const THROUGHPUT = { sentBytesPerSecond: 0, receivedBytesPerSecond: 0, sentBytes: 0, receivedBytes: 0 }

const leg = (state: Leg['state'], exit: string, streams = 0): Leg => ({
  state,
  carriage: 'udp',
  hops: [
    {
      node: `did:key:z6Mk${exit}`,
      role: 'exit',
      country: 'DE',
      region: 'eu',
      simulated: false,
      health: 'green',
      reason: '',
    },
  ],
  rttMs: 5,
  streams,
  since: 0,
})

const status = (more: Partial<VpnStatusAnswer>): VpnStatusAnswer => ({
  schemaVersion: 1,
  state: 'connected',
  profile: { name: 'default', pending: { fields: [] }, warnings: [] },
  streams: { open: 0, opened: 0, failed: 0 },
  failures: [],
  route: { legs: [leg('active', 'aaaaaaaa', 1)], throughput: THROUGHPUT, events: [] },
  others: [],
  services: { routes: 0, streams: 0, sentBytes: 0, receivedBytes: 0 },
  carriage: { over: 'udp', setting: 'auto', reason: '' },
  ...more,
})

const text = (more: Partial<VpnStatusAnswer>): string => vpnLines(status(more), NOW, false, output).join('\n')

const OTHERS = [
  { use: 'tunnel', state: 'connected', legs: [leg('active', 'bbbbbbbb')], events: [] },
  { use: 'credentials', number: 1, state: 'connected', legs: [leg('active', 'cccccccc')], events: [] },
  {
    use: 'credentials',
    number: 4,
    state: 'blocked',
    fault: { code: 'E_ROUTE_NONE', cause: 'None.', fix: 'Wait.' },
    legs: [],
    events: [],
  },
] as const

test('status shows the hops of the tunnel as well, and how many users and passwords have routes', () => {
  const lines = text({ others: OTHERS })
  assert.match(lines, /aaaaaaaa[^]*\nthe whole machine: connected\nactive [^]*bbbbbbbb/)
  assert.match(lines, /2 users and passwords have a route: weft vpn route/)
  assert.doesNotMatch(lines, /cccccccc/)
  assert.match(text({ others: OTHERS.slice(0, 2) }), /1 user and password has a route/)
})

test('status says how many groups of destinations have routes', () => {
  const group = (number: number) => ({ ...OTHERS[1], use: 'destination' as const, number })
  const lines = text({ others: [...OTHERS, group(3), group(8)] })
  assert.match(
    lines,
    /2 users and passwords have a route: weft vpn route\n2 groups of destinations have a route: weft vpn route/,
  )
  assert.match(text({ others: [group(3)] }), /\n1 group of destinations has a route: weft vpn route/)
  assert.doesNotMatch(text({ others: OTHERS }), /group/)
})

test('status says what of the profile in use whoever relies on it should know', () => {
  const warnings = [{ code: 'E_PROFILE_OPEN', cause: 'Much goes beside it.', fix: 'Lead it through.' }]
  const lines = text({ profile: { name: 'shut', pending: { fields: [] }, warnings } })
  assert.match(lines, /profile {5}shut\n.*E_PROFILE_OPEN.*Much goes beside it\.\n.*Fix: Lead it through\./)
})

test('route shows all of them, each with what goes over it, the whole machine first', () => {
  const lines = (others: VpnRouteAnswer['others']): string[] =>
    routeLines({ schemaVersion: 1, state: 'connected', ...status({}).route, others }, NOW, false, output)
  const told = lines(OTHERS).filter((line) => /^(the|user)|exit|E_/.test(line))
  assert.deepEqual(
    told.map((line) => line.replace(/ +DE.*/, '').trim()),
    [
      'the whole machine: connected',
      'exit  bbbbbbbb',
      'the proxy:',
      'exit  aaaaaaaa',
      'user and password 1: connected',
      'exit  cccccccc',
      'user and password 4: blocked',
      'E_ROUTE_NONE: None.',
    ],
  )
  assert.doesNotMatch(lines([]).join('\n'), /the proxy:/)
})

test('legs that are being built or are silent are not in readiness', () => {
  const building = leg('building', 'x')
  const lines = (...legs: Leg[]): string => text({ route: { legs, throughput: THROUGHPUT, events: [] } })
  assert.match(lines(leg('active', 'a'), leg('spare', 'b'), building), /beside it 1 in readiness, 1 being built:/)
  assert.match(lines(building, building, building), /\nbeside it 2 being built: weft vpn route/)
  assert.doesNotMatch(lines(building, building), /readiness/)
  assert.match(lines(leg('active', 'a'), leg('silent', 'b')), /beside it 1 silent:/)
  assert.doesNotMatch(lines(leg('active', 'a')), /beside it/)
})

test('a tier that hops do not keep is told always, one that they keep with --long', () => {
  const lines = (tier: Leg['tier'], long: boolean): string =>
    legLines({ ...leg('active', 'a'), ...(tier && { tier }) }, NOW, long, output)[0] ?? ''
  assert.match(lines({ asked: 'high', taken: 'off' }, false), /, tier off in place of high: its hops do no more$/)
  assert.doesNotMatch(lines({ asked: 'high', taken: 'high' }, false), /tier/)
  assert.match(lines({ asked: 'high', taken: 'high' }, true), /, tier high$/)
  assert.match(lines({ asked: 'high' }, true), /, tier high asked for$/)
  assert.doesNotMatch(lines(undefined, true), /tier/)
})

test('one of a thing is told as one', () => {
  const carried = {
    workers: [],
    circuits: 1,
    links: 1,
    inTls: 0,
    exitStreams: 1,
    exitChannels: 1,
    memberStreams: 1,
    memberStreamsOpened: 1,
    exitIp: {
      clients: 1,
      ipv6: false,
      packets: {},
      bytes: { sent: 0, received: 0 },
      superPackets: { read: 0, split: 0, written: 0, merged: 0 },
    },
    packetsForwarded: 0,
    packetsReceived: 0,
    packetsSent: 0,
    packetsWaiting: 0,
    packetsWaited: { realtime: 0, interactive: 0, bulk: 0 },
    packetsDropped: {},
    portEvents: {},
  }
  const one = text({ carried })
  assert.match(one, /1 connection, for/)
  assert.match(one, /1 circuit over 1 link, 1 connection and 1 UDP channel out, 1 connection to members/)
  assert.match(one, /IP packets of 1 client$/m)
  const two = { ...carried, circuits: 2, links: 3, exitStreams: 0, exitIp: { ...carried.exitIp, clients: 2 } }
  assert.match(text({ carried: two }), /2 circuits over 3 links, 0 connections and .*IP packets of 2 clients/)
})
