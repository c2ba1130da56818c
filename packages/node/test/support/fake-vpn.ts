import { Emitter, type Fault } from '@weft/core'
import type { X25519KeyPair } from '@weft/crypto'
import type { ConformanceProbe, LossGauge } from '@weft/overlay'
import type {
  ChoiceQuestion,
  ExitStatus,
  MachineWays,
  PendingWays,
  RouteChoices,
  RouteProfile,
  RouteStatus,
  RouteVerification,
  ServiceWays,
  VpnEvents,
  VpnInit,
  VpnState,
  VpnStatus,
  TunStatus,
} from '@weft/vpn'
import type { NodeVpn } from '../../src/daemon/components.ts'

const NODE = 'did:key:z6MkExit1'

/** A VPN of which a test says how its route stands. */
export class FakeVpn implements NodeVpn {
  readonly init: VpnInit
  readonly emitter = new Emitter<VpnEvents>()
  readonly probe: ConformanceProbe = { role: 'packets', name: 'fake', run: async () => {} }
  readonly loss: LossGauge = async () => ({ sent: 1, lost: 0 })
  fault: Fault | undefined
  state: VpnState = 'off'
  /** What `up` fails with. */
  refuse: Error | undefined
  follows = false
  closed = false

  tun = false

  constructor(init: VpnInit) {
    this.init = init
  }

  /** Public halves of the onion keys that it was told of last. */
  onionKeys: readonly Uint8Array[] = []
  setOnionKeys(keys: readonly X25519KeyPair[]): void {
    this.onionKeys = keys.map(({ publicKey }) => publicKey)
  }

  /** What it was told of profiles, the latest last. */
  readonly profiles: { readonly route: RouteProfile; readonly ways: MachineWays }[] = []
  pending: PendingWays = { fields: [], takes: undefined }
  setProfile(route: RouteProfile, ways: MachineWays): void {
    this.profiles.push({ route, ways })
  }

  follow(): void {
    this.follows = true
  }
  /** What routes to services of members fail with. */
  noRoute: Error | undefined
  serviceWays(): ServiceWays {
    const fails = async (): Promise<never> => {
      throw this.noRoute ?? new Error('there are no members')
    }
    return { ready: async () => (this.noRoute === undefined ? undefined : fails()), connect: fails, close: () => {} }
  }
  async up(tun = false): Promise<void> {
    if (this.refuse !== undefined) throw this.refuse
    this.tun = tun
    this.state = 'connected'
  }
  async down(): Promise<void> {
    this.state = 'off'
  }
  async status(): Promise<VpnStatus> {
    const up = this.state !== 'off'
    return {
      state: this.state,
      fault: this.fault,
      proxy: up ? this.init.proxy : undefined,
      dns: up ? this.init.dns : undefined,
      tun: up && this.tun ? fakeTun : undefined,
      killSwitch: fakeKillSwitch,
      streams: { open: 1, opened: 2, failed: 1 },
      failures: [{ code: 'E_TARGET_REFUSED', cause: 'The target refused.', fix: 'Check the port.', at: 5, count: 3 }],
      route: up ? fakeRoute() : { ...fakeRoute(), legs: [], rttMs: undefined },
      others: up
        ? [
            { use: 'tunnel', number: undefined, state: 'connecting', fault: undefined, legs: [], events: [] },
            {
              use: 'credentials',
              number: 1,
              state: 'connected',
              fault: undefined,
              legs: fakeRoute().legs,
              events: fakeRoute().events,
            },
          ]
        : [],
      services: { routes: 1, streams: 12, sentBytes: 13, receivedBytes: 14 },
      carriage: { over: 'tls', setting: 'auto', reason: 'UDP is blocked', since: 1_000 },
      carried:
        this.init.keys === undefined
          ? undefined
          : {
              workers: [{ circuits: 3, links: 4, legsElsewhere: 1, packetsForwarded: 6 }],
              circuits: 3,
              links: 4,
              inTls: 1,
              exitStreams: 5,
              exitChannels: 4,
              memberStreams: 10,
              memberStreamsOpened: 11,
              exitIp: {
                clients: 2,
                ipv6: false,
                packets: { sent: 1, received: 2, refused: 3 },
                bytes: { sent: 100, received: 200 },
                superPackets: { read: 1, split: 20, written: 2, merged: 30 },
                fault: undefined,
              },
              packetsForwarded: 6,
              packetsReceived: 7,
              packetsSent: 8,
              packetsWaiting: 2,
              packetsWaited: { realtime: 1, interactive: 2, bulk: 3 },
              packetsDropped: { replayed: 9 },
              portEvents: { carriageRefused: 4 },
            },
    }
  }
  async exits(): Promise<readonly ExitStatus[]> {
    const uses = [{ use: 'credentials', number: 1 }] as const
    return [
      {
        node: NODE,
        country: 'DE',
        region: 'europe',
        family: 'f',
        simulated: true,
        used: true,
        uses,
        load: 'light',
        reason: '',
      },
    ]
  }
  async verify(): Promise<RouteVerification> {
    return fakeVerification()
  }
  /** What it was asked last. */
  question: ChoiceQuestion | undefined
  async choices(question: ChoiceQuestion): Promise<RouteChoices> {
    this.question = question
    return fakeChoices(question)
  }
  on<K extends keyof VpnEvents>(name: K, listener: (event: VpnEvents[K]) => void): () => void {
    return this.emitter.on(name, listener)
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.closed = true
  }
}

const fakeKillSwitch: NonNullable<VpnStatus['killSwitch']> = {
  state: 'damaged',
  since: 1_000,
  allowLan: true,
  uid: 1000,
  orderedBy: ['person', 'profile'],
  nodes: 7,
  blocked: {
    dns: { packets: 1, bytes: 60 },
    lan: { packets: 2, bytes: 120 },
    ipv6: { packets: 3, bytes: 180 },
    forwarded: { packets: 4, bytes: 240 },
    other: { packets: 5, bytes: 300 },
  },
  differences: ['chain leaving is missing'],
  restored: { times: 2, at: 3_000, differences: ['the whole table is gone'] },
  reboot: { isProtected: false, cause: 'There is no unit.', fix: 'Put it on again.' },
  fault: { code: 'E_KILL_SWITCH_DAMAGED', cause: 'Its rules are not all there.', fix: 'Put it on again.' },
}

const fakeTun: TunStatus = {
  interface: 'weft0',
  mtu: 1280,
  state: 'open',
  exit: NODE,
  ipv6: false,
  packets: { sent: 3, received: 2, unrouted: 1 },
  bytes: { sent: 300, received: 200 },
  superPackets: { read: 1, split: 2, written: 0, merged: 0 },
  fault: undefined,
}

/** One leg, measured up to its relay. */
export function fakeRoute(): RouteStatus {
  const hop = {
    node: NODE,
    country: 'DE',
    region: 'europe',
    simulated: true,
    jitterMs: 0.5,
    lossPercent: 1.25,
    bandwidthBytesPerSecond: 100.5,
    upMs: 2_000,
    health: 'green',
    reason: '',
  } as const
  const unknown = { jitterMs: undefined, lossPercent: undefined, bandwidthBytesPerSecond: undefined, upMs: undefined }
  return {
    legs: [
      {
        state: 'active',
        carriage: 'tls',
        tier: { asked: 'high', taken: 'standard' },
        hops: [
          { ...hop, role: 'entry', latencyMs: 1.5, suite: 'aes-256-gcm' },
          { ...hop, role: 'relay', latencyMs: 2.5, suite: 'chacha20-poly1305' },
          {
            ...hop,
            ...unknown,
            role: 'exit',
            latencyMs: undefined,
            suite: undefined,
            health: 'yellow',
            reason: 'slow',
          },
        ],
        rttMs: 8,
        streams: 1,
        since: 1_000,
        fault: undefined,
      },
    ],
    rttMs: 8,
    throughput: { sentBytesPerSecond: 10, receivedBytesPerSecond: 20, sentBytes: 100, receivedBytes: 200 },
    events: [
      { at: 2, kind: 'degraded', code: 'E_HOP_DEGRADED', cause: 'It loses.', fix: 'None.', node: NODE, role: 'exit' },
      { at: 1, kind: 'ready', code: 'ROUTE_READY', cause: 'A leg.', fix: 'None.', node: undefined, role: undefined },
    ],
  }
}

/** Of one leg, with one of each finding. */
function fakeVerification(): RouteVerification {
  const at = { node: NODE, role: 'relay' } as const
  const counted = { opened: 9, passed: 5, droppedForward: 0, came: 6, droppedBackward: 0, sent: 8 }
  const hop = { ...at, answered: true, sent: 10, verified: 8, counted, health: 'green', reason: '' } as const
  return {
    at: 3,
    legs: [
      {
        use: 'proxy',
        number: undefined,
        state: 'active',
        sent: 20,
        verified: 7,
        rejected: 1,
        hops: [
          { ...hop, lossForwardPercent: 10, lossBackwardPercent: undefined },
          { ...hop, answered: false, counted: undefined, lossForwardPercent: undefined, lossBackwardPercent: 0 },
        ],
        losses: [
          { ...at, part: 'link', direction: 'forward', percent: 10, sent: 10, lost: 1, chance: 1e-7, forMs: 900 },
        ],
        delays: [{ ...at, addedMs: 60, forMs: 500 }],
        contradictions: [{ nodes: [NODE], what: 'it says more than there was', forMs: 100 }],
      },
    ],
  }
}

/** Of one leg of one hop, and one guard of each kind of trouble. */
function fakeChoices({ node }: ChoiceQuestion): RouteChoices {
  const chosen = {
    node: NODE,
    standing: 'chosen',
    weight: 1,
    share: 0.5,
    reason: undefined,
    beside: undefined,
  } as const
  const out = {
    node: NODE,
    standing: 'out',
    weight: undefined,
    share: undefined,
    reason: 'family',
    beside: NODE,
  } as const
  const hop = { node: NODE, role: 'relay', candidates: 3, weight: 1, share: 0.5, bits: 1.5, floorBits: 1 } as const
  const discarded = [{ reason: 'family', words: 'same family', count: 2 }] as const
  const guard = { node: NODE, primary: true, since: 1, until: 2, answered: true } as const
  return {
    at: 4,
    legs: [
      {
        use: 'credentials',
        number: 1,
        state: 'active',
        chosenAt: 3,
        hops: [{ ...hop, discarded, heaviest: [chosen], out: [out], asked: node === undefined ? undefined : out }],
      },
    ],
    guards: [
      { ...guard, state: 'ready', retryAt: undefined, unlistedSince: undefined },
      { ...guard, state: 'silent', retryAt: 5, unlistedSince: undefined },
      { ...guard, state: 'unlisted', retryAt: undefined, unlistedSince: 1 },
    ],
  }
}

export async function createFakeVpn(init: VpnInit): Promise<FakeVpn> {
  return init.scope.use('vpn', new FakeVpn(init))
}
