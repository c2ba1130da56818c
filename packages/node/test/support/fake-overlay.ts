import { Emitter } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import type {
  AdmissionState,
  LeaseState,
  Load,
  Loads,
  MapStatus,
  Member,
  Overlay,
  OverlayEvents,
  OverlayOptions,
  PeerStatus,
  Reach,
  ResourceDescriptor,
  RevocationStatus,
  RevocationVote,
  SeatStatus,
  Term,
  VerifiedLease,
} from '@weft/overlay'

/** An overlay of which a test says what it sees: members, peers, admission, map. */
export class FakeOverlay implements Overlay {
  readonly self
  readonly networkId = 'wtestnetwork'
  readonly emitter = new Emitter<OverlayEvents>()
  admissionState: AdmissionState = { state: 'client' }
  reachState: Reach = { state: 'client' }
  leaseState: LeaseState = { state: 'none' }
  mapStatus: MapStatus = {
    epoch: 7,
    root: 'r',
    signedAt: 1_000,
    beacon: { epoch: 5, previous: 4, value: new Uint8Array(32).fill(12) },
    signatures: 3,
    quorum: 3,
    validators: 4,
    fault: undefined,
  }
  currentTerm: Term = {
    number: 0,
    fromEpoch: 0,
    rotation: 0,
    validators: [],
    quorum: 0,
    isValidator: () => false,
    validatorWith: () => undefined,
  }
  memberList: Member[]
  peerStates = new Map<string, PeerStatus>()
  closed = false
  readonly membership

  constructor(self: Overlay['self']) {
    this.self = self
    const [first, second] = [1, 2].map((seed) => fakeMember(new SigningKey(new Uint8Array(32).fill(seed)).id))
    this.memberList = [{ ...(first as Member), resources: FAKE_RESOURCES }, second as Member]
    this.membership = {
      networkId: this.networkId,
      members: () => this.memberList,
      member: (id: string) => this.memberList.find((one) => one.id === id),
      isMember: (id: string) => this.memberList.some((one) => one.id === id),
      isValidator: () => false,
      status: () => this.mapStatus,
      onChange: () => () => {},
    }
  }

  get records(): never {
    throw new Error('the API needs no records')
  }
  get lookup(): never {
    throw new Error('the API looks nobody up')
  }
  get rpc(): never {
    throw new Error('the API makes no calls')
  }
  anonymous(): never {
    throw new Error('the API makes no callers')
  }
  get streams(): never {
    throw new Error('the API opens no streams')
  }

  term(): Term {
    return this.currentTerm
  }
  /** Of seats that are not named here all answers. */
  seatStates = new Map<string, Pick<SeatStatus, 'state' | 'inMap'>>()
  seats(): readonly SeatStatus[] {
    const well = { state: 'answers', inMap: true } as const
    return this.currentTerm.validators.map(({ id }) => ({ id, ...(this.seatStates.get(id) ?? well) }))
  }
  admission(): AdmissionState {
    return this.admissionState
  }
  reach(): Reach {
    return this.reachState
  }
  peers(): readonly PeerStatus[] {
    return this.memberList.filter(({ id }) => id !== this.self).map(({ id }) => this.peer(id))
  }
  peer(id: Overlay['self']): PeerStatus {
    return this.peerStates.get(id) ?? { id, state: 'connected', since: 5, rttMs: 1.5, fault: undefined }
  }
  loadStates = new Map<Overlay['self'], Load>()
  get loads(): Loads {
    return {
      get: (id) => this.loadStates.get(id),
      all: () => this.loadStates,
      follow: () => () => {},
      publish: () => () => {},
      onChange: () => () => {},
    }
  }
  suspects(): ReadonlySet<Overlay['self']> {
    return new Set()
  }
  async certificateVotes(ids: readonly Overlay['self'][]): ReturnType<Overlay['certificateVotes']> {
    return new Map(ids.map((id) => [id, [{ validator: id, signature: new Uint8Array(64).fill(1) }]]))
  }
  lease(): LeaseState {
    return this.leaseState
  }
  async leases(): Promise<readonly VerifiedLease[]> {
    const [{ id }] = this.memberList as [Member]
    const body = { network: this.networkId, key: new Uint8Array(32), id, issuedEpoch: 3, expiresAt: 9_000_000_000_000 }
    const votes = [{ signer: new Uint8Array(32).fill(1), signature: new Uint8Array(64) }]
    return [{ body: { ...body, uses: ['forward'] }, bodyBytes: new Uint8Array(3), hash: new Uint8Array(32), votes }]
  }
  get #revocation(): RevocationStatus['pending'][number]['body'] {
    const [{ id }] = this.memberList as [Member]
    const key = new Uint8Array(32)
    const { networkId: network } = this
    return { network, id, key, issuedUpTo: 3, blockedUntil: 9_000_000_000_000, reason: 'abuse', decidedAt: 1_000 }
  }
  revocations(): RevocationStatus {
    const [{ id }] = this.memberList as [Member]
    const body = this.#revocation
    return { inForce: [{ ...body, votes: 3 }], pending: [{ body, voters: [id] }] }
  }
  async revoke(): Promise<RevocationVote> {
    const { reason, blockedUntil } = this.#revocation
    return { votes: 1, quorum: 3, decided: false, reason, blockedUntil, apart: 1, tookBack: false }
  }
  async leave(): ReturnType<Overlay['leave']> {
    return { records: 2, safe: 2 }
  }
  async ping(): Promise<number> {
    return 2.5
  }
  on<K extends keyof OverlayEvents>(name: K, listener: (event: OverlayEvents[K]) => void): () => void {
    return this.emitter.on(name, listener)
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.closed = true
  }
}

const FAKE_RESOURCES: ResourceDescriptor = {
  site: 'home',
  provider: 'p',
  hardware: 'h',
  capacity: { cores: 4, accelerators: 1, memoryBytes: 5, storageBytes: 6, uploadMbps: 7, downloadMbps: 8 },
  energy: { evidence: 'declared', grid: 'CH', source: 'solar', carbon: 40 },
}

function fakeMember(id: Overlay['self']): Member {
  return {
    id,
    roles: ['storage'],
    addresses: ['/ip4/127.0.0.1/tcp/4780'],
    family: 'f',
    region: 'eu-west',
    country: 'DE',
    asn: 64_500,
    diversityAddress: '192.0.2.1',
    simulated: true,
    certificateEpoch: 3,
    expiresAt: 9_000_000_000_000,
    certificateHash: new Uint8Array(32),
  }
}

export async function createFakeOverlay(options: OverlayOptions): Promise<FakeOverlay> {
  return options.scope.use('overlay', new FakeOverlay(options.key.id))
}
