import assert from 'node:assert/strict'
import { before, it } from 'node:test'
import type { VpnView } from '../src/parts/vpn-view.tsx'
import { viewRenderer } from './render-view.ts'
import { OFF } from './vpn-off.ts'

type Props = Parameters<typeof VpnView>[0]
type Vpn = Props['vpn']

let render: (vpn: Vpn, history: Props['history']) => string
before(async () => {
  const view = await viewRenderer<Props>('vpn-view', 'VpnView')
  render = (vpn, history) => view({ vpn, history })
})

const hop = (role: 'entry' | 'relay' | 'exit', node: string) => ({
  node: `did:key:z6Mk${node}`,
  role,
  country: 'DE',
  region: 'eu',
  simulated: role !== 'exit',
  latencyMs: 1.25,
  suite: 'aes-256-gcm' as const,
  health: 'green' as const,
  reason: '',
})

it('shows no legs where there are none', () => {
  const html = render(OFF, [])
  assert.match(html, /does not listen/)
  assert.doesNotMatch(html, /data-testid="leg"/)
  assert.match(html, /<desc[^>]*>There is no leg\.<\/desc>/)
  assert.match(html, /aria-live="polite"[^>]*><p class="quiet">Nothing happened yet/)
})

it('shows each hop with node, role, country, latency and health, and made-up places as such', () => {
  const known = { jitterMs: 0.25, lossPercent: 2.5, bandwidthBytesPerSecond: 1_500_000, upMs: 65_000 }
  const hops = [{ ...hop('entry', 'aaaaaaaa'), ...known }, hop('relay', 'bbbbbbbb'), hop('exit', 'cccccccc')]
  const slow = { ...hop('relay', 'dddddddd'), latencyMs: undefined, health: 'yellow' as const, reason: 'it is late' }
  const html = render(
    {
      ...OFF,
      state: 'connected',
      proxy: { host: '127.0.0.1', port: 7781 },
      route: {
        legs: [
          { state: 'active', carriage: 'udp', hops, rttMs: 3.75, streams: 1, since: 0 },
          { state: 'spare', carriage: 'udp', hops: [slow], streams: 0, since: 0 },
        ],
        rttMs: 3.75,
        throughput: { sentBytesPerSecond: 1_000, receivedBytesPerSecond: 2_500_000, sentBytes: 5, receivedBytes: 3e9 },
        events: [],
      },
    },
    [{ at: 1_000_000, sent: 1_000, received: 2_500_000 }],
  )
  assert.match(html, /data-testid="rtt">3\.8 ms to the exit and back.*data-testid="links">3\.8 ms/)
  assert.match(html, /127\.0\.0\.1:7781/)
  const rows = [
    ...html.matchAll(/<tr data-node="did:key:z6Mk(\w+)" data-role="(\w+)" data-health="(\w+)">(.*?)<\/tr>/g),
  ]
  assert.deepEqual(
    rows.map(([, node, role, health]) => [node, role, health]),
    [
      ['aaaaaaaa', 'entry', 'green'],
      ['bbbbbbbb', 'relay', 'green'],
      ['cccccccc', 'exit', 'green'],
      ['dddddddd', 'relay', 'yellow'],
    ],
  )
  const [entry, , exit, late] = rows.map(([, , , , cells]) => cells ?? '')
  assert.match(
    entry ?? '',
    /…aaaaaaaa.*title="Germany">DE<\/span><span class="quiet"> \(simulated\).*, eu<.*1\.3 ms.*as usual/,
  )
  assert.doesNotMatch(exit ?? '', /simulated/)
  assert.match(late ?? '', /data-name="Latency">–.*not as usual.*it is late/)
  for (const [name, figure] of [
    ['Jitter', '0.3 ms'],
    ['Loss', '2.5 %'],
    ['Bandwidth', '1.5 MB/s'],
    ['Up for', '1 min 5 s'],
  ] as const) {
    assert.ok(entry?.includes(`data-name="${name}">${figure}<`), `${name} of ${entry}`)
    assert.ok(late?.includes(`data-name="${name}">–<`), `${name} of ${late}`)
  }
  assert.match(html, /data-testid="received">2\.5 MB\/s, 3 GB in all/)
  assert.match(html, /data-testid="sent">1 kB\/s, 5 B in all/)
  assert.match(html, /<svg[^>]*aria-hidden="true"/)
  assert.match(html, /<th scope="row">10 to 0<\/th><td>250 kB\/s<\/td><td>100 B\/s<\/td>/)
})

it('tells of five requests that failed, and of what the node carries', () => {
  const failures = Array.from({ length: 7 }, (_, at) => ({ at, count: 1 + at, code: `E_${at}`, cause: 'c', fix: 'f' }))
  const carried = {
    workers: [],
    circuits: 4,
    links: 3,
    inTls: 0,
    exitStreams: 2,
    exitChannels: 1,
    memberStreams: 3,
    memberStreamsOpened: 4,
    packetsForwarded: 0,
    packetsReceived: 0,
    packetsSent: 0,
    packetsWaiting: 0,
    packetsWaited: { realtime: 0, interactive: 0, bulk: 0 },
    packetsDropped: {},
    portEvents: {},
  }
  const html = render({ ...OFF, failures, carried }, [])
  assert.deepEqual(
    Array.from(html.matchAll(/E_\d/g), ([code]) => code),
    ['E_0', 'E_1', 'E_2', 'E_3', 'E_4'],
  )
  assert.doesNotMatch(html, /1 times/)
  assert.match(html, /E_1<\/code> \(2 times\) c/)
  assert.match(html, /4 circuits, 2 connections and 1 UDP channels to the outside/)
})

const TUN = {
  interface: 'weft0',
  mtu: 1280,
  state: 'open' as const,
  exit: 'did:key:z6Mkffffffff',
  ipv6: false,
  packets: {},
  bytes: { sent: 0, received: 0 },
  superPackets: { read: 0, split: 0, written: 0, merged: 0 },
}

it('shows how the tunnel stands, and what packets go in', () => {
  const open = render({ ...OFF, tun: TUN }, [])
  assert.match(open, /data-testid="tunnel" data-state="open">.*weft0.*…ffffffff<\/code>, without IPv6/)
  assert.match(open, /data-testid="carriage">over UDP<\/dd>/)
  const carriage = { over: 'tls', setting: 'auto', reason: 'UDP is blocked' } as const
  const waiting = render({ ...OFF, tun: { ...TUN, state: 'waiting' }, carriage }, [])
  assert.match(waiting, /data-state="waiting">.*nothing leaves this machine/)
  assert.match(waiting, /data-testid="carriage">in TLS over TCP<span class="quiet">: UDP is blocked/)
  const failed = render({ ...OFF, tun: { ...TUN, state: 'failed' } }, [])
  assert.match(failed, /data-state="failed"><span class="badge bad">.*packets go their own way/)
  const shut = render({ ...OFF, tun: { ...TUN, state: 'shut' } }, [])
  assert.match(shut, /data-state="shut"><span class="badge bad">.*nothing leaves this machine/)
  for (const html of [failed, shut]) assert.doesNotMatch(html, /the whole machine<|without IPv6/)
  assert.doesNotMatch(render(OFF, []), /data-testid="tunnel"/)
})

it('shows the legs of the whole machine, and those of users and passwords', () => {
  const legs = [{ state: 'active', carriage: 'udp', hops: [hop('exit', 'ffffffff')], streams: 0, since: 0 }] as const
  const fault = { code: 'E_NO_EXIT', cause: 'None is left.', fix: 'Wait.' }
  const event = { at: 5, kind: 'moved', code: 'E_X', cause: 'c', fix: 'f' } as const
  const html = render(
    {
      ...OFF,
      others: [
        { use: 'tunnel', state: 'connected', legs, events: [event] },
        { use: 'credentials', number: 3, state: 'blocked', fault, legs: [], events: [] },
      ],
    },
    [],
  )
  assert.match(html, /data-use="tunnel">.*Legs of the whole machine.*connected.*data-node="did:key:z6Mkffffffff"/)
  assert.match(html, /data-use="credentials">.*Legs of user and password 3.*no route can be built.*E_NO_EXIT/)
  assert.match(html, /data-kind="moved">.*for the whole machine/)
  assert.match(html, /<desc[^>]*>Leg of the whole machine: 1, in use, from you over: exit …ffffffff in Germany/)
})

it('keeps legs that only stand ready behind a line, and nothing that carries or is not well', () => {
  const leg = (node: string, state: 'active' | 'spare', health: 'green' | 'yellow' = 'green') => {
    return { state, carriage: 'udp' as const, hops: [{ ...hop('exit', node), health }], streams: 0, since: 0 }
  }
  const legs = [leg('aaaaaaaa', 'active'), leg('bbbbbbbb', 'spare'), leg('cccccccc', 'spare', 'yellow')]
  const [shown = '', ready = ''] = render({ ...OFF, route: { ...OFF.route, legs } }, []).split('<details>')
  const nodesOf = (html: string) => Array.from(html.matchAll(/<tr data-node="did:key:z6Mk(\w+)"/g), ([, node]) => node)
  assert.deepEqual(nodesOf(shown), ['aaaaaaaa', 'cccccccc'])
  assert.deepEqual(nodesOf(ready), ['bbbbbbbb'])
  assert.match(ready, /<summary>1 leg stands ready<\/summary>/)
})
