import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import type { NetworkStateProps } from '../src/parts/network-state.tsx'
import type { NetworkViewProps } from '../src/parts/network-view.tsx'
import { viewRenderer } from './render-view.ts'

type MembersAnswer = NetworkViewProps['members']
type MemberAnswer = MembersAnswer['members'][number]
type Seat = NonNullable<NetworkStateProps['network']>['validators'][number]
type LeasesAnswer = NonNullable<NetworkViewProps['leases']>

let view: (props: NetworkViewProps) => string
let state: (props: NetworkStateProps) => string
before(async () => {
  view = await viewRenderer('network-view', 'NetworkView')
  state = await viewRenderer('network-state', 'NetworkState')
})

const MAP = { epoch: 7, root: 'r', signedAt: 1_000, signatures: 3, quorum: 3, validators: 4 }
const member = (id: string, changes: Partial<MemberAnswer> = {}): MemberAnswer => ({
  id: `did:key:z6Mk${id}`,
  short: id,
  roles: ['storage'],
  certificate: { epoch: 3, quorum: 3, expiresAt: 9_000_000 },
  addresses: [],
  family: 'f',
  region: 'eu-west',
  regionStanding: 'unverified',
  country: 'DE',
  asn: 64_500,
  simulated: true,
  layer: 'regular',
  suspect: false,
  self: false,
  peer: { state: 'connected', since: 5 },
  ...changes,
})
const membersOf = (members: MemberAnswer[]): MembersAnswer => ({ schemaVersion: 1, epoch: 7, members, map: MAP })
const NO_LEASES: LeasesAnswer = { schemaVersion: 1, own: { state: 'none' }, leases: [] }

describe('the layers', () => {
  const members = membersOf([
    member('aaaaaaaa', { layer: 'regular' }),
    member('bbbbbbbb', { layer: 'validator', roles: ['validator', 'storage'] }),
    member('cccccccc', { layer: 'core', suspect: true }),
    member('dddddddd', {
      layer: 'core',
      peer: { state: 'unreachable', since: 5, fault: { code: 'E', cause: 'no <route>', fix: 'f' } },
    }),
  ])
  const row = (html: string, layer: string): string =>
    new RegExp(`<tr data-layer="${layer}">(.*?)</tr>`).exec(html)?.[1] ?? 'none'
  const numbers = (cells: string): string[] =>
    [...cells.matchAll(/<td class="number">(.*?)<\/td>/g)].map(([, n]) => n ?? '')

  it('have their names where no node is drawn', () => {
    const html = view({ members, leases: NO_LEASES })
    assert.match(html, /class="ring-name" x="200" y="204">Validators</)
    assert.match(html, /class="ring-name" x="200" y="302">Core</)
  })

  it('are counted in a table, and drawn for who sees', () => {
    const html = view({ members, leases: NO_LEASES })
    assert.deepEqual(numbers(row(html, 'validator')), ['1', '1', '0'])
    assert.deepEqual(numbers(row(html, 'core')), ['2', '1', '1'])
    assert.deepEqual(numbers(row(html, 'regular')), ['1', '1', '0'])
    // This node is in no list: it is a client.
    assert.deepEqual(numbers(row(html, 'client')), ['1', '–', '–'])
    assert.match(row(html, 'client'), /this node is one/)
    assert.match(html, /<figure class="rings"><svg[^>]*aria-hidden="true"/)
    assert.equal(html.match(/<g class="dot /g)?.length, 5)
    assert.equal(html.match(/<line /g)?.length, 3, 'a link to each that is connected')
    assert.match(html, /<g class="dot suspect" data-layer="core"[^>]*><title>…cccccccc: suspected/)
    assert.match(html, /<g class="dot away" data-layer="core"[^>]*><title>…dddddddd: unreachable/)
    assert.match(html, /<g class="dot self" data-layer="client"[^>]*><title>this node/)
  })

  it('list members from the inside, with why one is not reached, and who is suspected', () => {
    const html = view({ members, leases: NO_LEASES })
    const rows = [
      ...html.matchAll(
        /<tr data-node="did:key:z6Mk(\w+)" data-state="(\w+)" data-layer="(\w+)" data-suspect="(\w+)">/g,
      ),
    ]
    assert.deepEqual(
      rows.map(([, ...cells]) => cells),
      [
        ['bbbbbbbb', 'connected', 'validator', 'false'],
        ['cccccccc', 'connected', 'core', 'true'],
        ['dddddddd', 'unreachable', 'core', 'false'],
        ['aaaaaaaa', 'connected', 'regular', 'false'],
      ],
    )
    assert.match(html, /no &lt;route&gt;/)
    assert.match(html, /suspected: several observers do not reach it/)
    assert.match(html, /eu-west\/DE, AS64500, f<span class="quiet"> \(simulated\)/)
  })

  it('know this node when it is a member, and a client that holds a lease', () => {
    const own = view({ members: membersOf([member('eeeeeeee', { self: true })]), leases: undefined })
    assert.match(row(own, 'regular'), /this node is one/)
    assert.deepEqual(numbers(row(own, 'client')), ['0', '–', '–'])
    assert.doesNotMatch(own, /<line /)
    const lease = {
      id: 'did:key:z6Mkffffffff',
      short: 'ffffffff',
      uses: ['forward' as const],
      issuedEpoch: 3,
      expiresAt: 5_000,
      self: true,
      body: '',
      votes: [],
    }
    const lent = view({ members, leases: { ...NO_LEASES, leases: [lease] } })
    assert.deepEqual(numbers(row(lent, 'client')), ['1', '–', '–'])
    assert.match(lent, /<tr data-node="did:key:z6Mkffffffff">.*\(this node\).*forward/)
  })

  it('say so when there is nobody, and what hides the leases', () => {
    const fault = { code: 'E_LEASE_LIST', cause: 'c', fix: 'f' }
    const html = view({ members: membersOf([]), leases: { ...NO_LEASES, fault } })
    assert.match(html, /have not signed a first map/)
    assert.match(html, /<code>E_LEASE_LIST<\/code> c/)
    assert.match(view({ members: membersOf([]), leases: NO_LEASES }), /No client lends anything/)
  })

  it('draw a part of very many, and list a part', () => {
    const crowd = Array.from({ length: 700 }, (_, at) => member(`m${at}`))
    const html = view({ members: membersOf(crowd), leases: NO_LEASES })
    assert.equal(html.match(/<g class="dot /g)?.length, 121)
    assert.match(html, /580 more nodes are not drawn/)
    assert.equal(html.match(/<tr data-node=/g)?.length, 500)
    assert.match(html, /700 members in map epoch 7; the first 500 are shown/)
  })
})

describe('how this node stands', () => {
  const STATUS: NetworkStateProps['status'] = {
    schemaVersion: 1,
    node: { id: 'n', name: 'n', roles: ['client'], version: '1', pid: 1, uptimeMs: 1, startedAt: 1, home: '/h' },
    network: { id: 'wabc', name: 'test', simulated: true },
    term: { number: 0, seated: false },
    admission: { state: 'client' },
    reach: { state: 'client' },
    map: MAP,
    peers: { connected: 3, total: 4 },
    storage: { shards: 0, bytes: 0, quotaBytes: 0, damaged: 0, scrubbedBytes: 0 },
    s3: { state: 'down', host: '127.0.0.1', port: 7782, keys: 0, running: 0 },
    resources: { rssBytes: 1, cpuMs: 1, eventLoopP99Ms: 1 },
    ports: {},
    faults: [],
  }
  const network = {
    term: { number: 0, fromEpoch: 0, since: 1 },
    validators: [1, 2, 3, 4].map((at) => ({
      id: `did:key:z6MkAAAAAAA${at}`,
      addresses: [],
      family: 'f',
      state: 'answers',
      inMap: true,
    })),
    quorum: 3,
    tolerated: 1,
  } as unknown as NonNullable<NetworkStateProps['network']>
  const relayFault = { code: 'E_NODE_RELAYED', cause: 'behind a router', fix: 'Forward the port.' }

  it('has epoch, term, reach and links', () => {
    const html = state({ status: STATUS, network, lease: undefined })
    assert.match(html, /data-testid="map-epoch">epoch 7, signed by 3 of 4 validators \(3 needed\)/)
    assert.match(html, /data-testid="term">0, from map epoch 0, those of the network file; 4 of 4 answer, 3 needed</)
    assert.match(html, /data-testid="reach" data-state="client">.*nobody calls a client/)
    assert.match(html, /3 of 4 members/)
    assert.doesNotMatch(html, /own-lease|role="alert"/)
    const later = { ...network, term: { number: 2, fromEpoch: 9, since: 1 } }
    assert.match(state({ status: STATUS, network: later, lease: undefined }), /2, from map epoch 9; 4 of 4/)
    const [first, second, third, last] = network.validators as [Seat, Seat, Seat, Seat]
    const validators = [
      { ...first, state: 'silent' as const },
      { ...second, state: 'silent' as const, inMap: false },
      { ...third, state: 'unknown' as const },
      last,
    ]
    assert.match(
      state({ status: STATUS, network: { ...network, validators }, lease: undefined }),
      /1 of 4 answer, 3 needed; missing: …AAAAAAA1, …AAAAAAA2 \(left the map\); of 1 nothing is known here/,
    )
  })

  it('has each fault once, with cause and fix, that of reach included', () => {
    const reach = { state: 'relayed' as const, addresses: [], through: ['did:key:z6Mkaaaaaaaa'], fault: relayFault }
    const other = { code: 'E_MAP_STALE', cause: 'old', fix: 'See (`weft peers`).' }
    const html = state({ status: { ...STATUS, reach, faults: [other] }, network, lease: undefined })
    assert.equal(html.match(/role="alert"/g)?.length, 2)
    assert.match(html, /<code>E_NODE_RELAYED<\/code> behind a router.*<strong>Fix:<\/strong> Forward the port\./)
    assert.match(html, /<strong>Fix:<\/strong> See \(<code>weft peers<\/code>\)\./)
    assert.match(html, /data-state="relayed">.*over the relay …aaaaaaaa/)
    const once = state({ status: { ...STATUS, reach, faults: [relayFault] }, network, lease: undefined })
    assert.equal(once.match(/role="alert"/g)?.length, 1)
    const states = { unreachable: /by nobody/, asking: /asked to dial this one back/ }
    const lost = { state: 'unreachable' as const, fault: relayFault }
    assert.match(state({ status: { ...STATUS, reach: lost }, network, lease: undefined }), states.unreachable)
    assert.match(state({ status: { ...STATUS, reach: { state: 'asking' } }, network, lease: undefined }), states.asking)
    const direct = { state: 'direct' as const, addresses: ['/ip4/192.0.2.1/tcp/1'] }
    assert.match(state({ status: { ...STATUS, reach: direct }, network, lease: undefined }), /at \/ip4\/192\.0\.2\.1/)
  })

  it('has its own lease, or why it has none', () => {
    const held = { state: 'held' as const, uses: ['forward' as const], issuedEpoch: 3, expiresAt: 5, listedBy: 4 }
    assert.match(
      state({ status: STATUS, network, lease: held }),
      /data-state="held">to forward, until .*by 4 validators/,
    )
    const faults = [{ validator: 'v', code: 'E_LEASE_LIMIT', cause: 'too many', fix: 'f' }]
    const asking = { state: 'asking' as const, since: 1, votes: 1, quorum: 3, faults }
    assert.match(state({ status: STATUS, network, lease: asking }), /1 of the 3 votes needed\. too many/)
  })

  it('has none of that before it is read', () => {
    const status = { ...STATUS, map: { signatures: 0, quorum: 3, validators: 4 } }
    const html = state({ status, network: undefined, lease: undefined })
    assert.match(html, /data-testid="map-epoch">none yet/)
    assert.doesNotMatch(html, /data-testid="term"/)
  })
})
