import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Clock, VirtualClock, WeftError, silentLogger, systemRandom, wait } from '@weft/core'
import { type DidKey, type SignedEnvelope, type SigningKey, sealEnvelope, verifySignature } from '@weft/crypto'
import { ADMISSION_CHECKS } from '../../src/admission/admission-checks.ts'
import { AdmissionDesk } from '../../src/admission/admission-desk.ts'
import type { AdmissionProof } from '../../src/admission/admission-proof.ts'
import type { DialVerdict } from '../../src/admission/dial-help.ts'
import { encodeApplication } from '../../src/admission/application.ts'
import { answerChallenge } from '../../src/admission/challenge-responder.ts'
import { type CertificateBody, encodeCertificateBody } from '../../src/admission/certificate-body.ts'
import type { Measured } from '../../src/admission/measured-field.ts'
import { protocolProbes } from '../../src/admission/protocol-probes.ts'
import type { Gauges } from '../../src/admission/measure/gauges.ts'
import type { ConformanceProbe, ProbedApplicant } from '../../src/admission/probe.ts'
import type { StakeVerifier } from '../../src/admission/stake-verifier.ts'
import { unreachablePackets } from '../../src/admission/unreachable-packets.ts'
import { type Invitation, invitationId } from '../../src/invitation/invitation.ts'
import { type InvitationProof, proveInvitation } from '../../src/invitation/invitation-proof.ts'
import type { InvitationSeats } from '../../src/invitation/invitation-seats.ts'
import { issueInvitation } from '../../src/invitation/issue-invitation.ts'
import { parseNetworkFile } from '../../src/network/network-file.ts'
import { type Network, networkOf } from '../../src/network/network.ts'
import { formatRelayedAddress } from '../../src/network/relayed-address.ts'
import {
  NO_BEACONS,
  NO_GAUGES,
  NO_HELP,
  NO_REVOCATIONS,
  BEGIN,
  addressOf,
  advance,
  bodyOf,
  codeOf,
  memorySeats,
  revocationOf,
  packetsOf,
  testKeys,
  testNetwork,
} from '../fixtures.ts'
import { ATTESTER, attestedFor } from '../resources/any-resources.ts'
import type { VerifiedRevocation } from '../../src/revocation/revocation.ts'
import { MemoryNetwork, type MemoryNode, faultFrame } from '../memory-network.ts'
import { OwnBeaconKey } from '../../src/beacon/own-beacon-key.ts'
import type { BeaconKeyEntry } from '../../src/beacon/beacon-key.ts'
import { beaconPosition } from '../../src/beacon/beacon-position.ts'
import type { Beacon } from '../../src/beacon/beacon.ts'
import { beaconKeyCheck } from '../../src/admission/checks/beacon-key-check.ts'
import type { AdmissionCase } from '../../src/admission/admission-check.ts'

const DAY = 86_400_000
const fixture = testNetwork(4, 2)
const otherNetwork = testNetwork(1, 0).network
const [validator, , , , applicant, stranger] = fixture.keys as [
  SigningKey,
  SigningKey,
  SigningKey,
  SigningKey,
  SigningKey,
  SigningKey,
]

/** What an applicant may get wrong; by default it gets all right. */
interface Applicant {
  readonly body?: Partial<CertificateBody>
  readonly signer?: SigningKey
  /** Over whose channel the application comes. */
  readonly caller?: SigningKey
  readonly forgeSignature?: boolean
  /** ms that the time in the application is off. */
  readonly applicationSkew?: number
  /** ms that the time in its answers is off. */
  readonly answerSkew?: number
  readonly prepare?: (node: MemoryNode, seats: InvitationSeats) => void
  /** By default the one that is open. */
  readonly network?: Network
  readonly proof?: AdmissionProof
  readonly stake?: StakeVerifier
  /** The certificate that it holds. */
  readonly certificate?: Partial<CertificateBody>
  /** The first beacon after it. */
  readonly beacon?: Beacon
  /** What validators decided about it. */
  readonly revocation?: VerifiedRevocation
  readonly gauges?: Partial<Gauges>
  /** Where the validator is. */
  readonly validatorRegion?: string
  /** What members say that dialled it; by default that they found it. */
  readonly others?: DialVerdict
  /** What the validator asks beside the protocol's own. */
  readonly probes?: readonly ConformanceProbe[]
}

/** Sends an application to a validator that has all checks but those named. The vote, or the code of the refusal. */
async function apply(hostile: Applicant, without?: string): Promise<string> {
  const clock = new VirtualClock(BEGIN + 1_000)
  const network = new MemoryNetwork(clock)
  const node = network.add(applicant.id, [addressOf(4)])
  const { network: joined = fixture.network } = hostile
  const seats = memorySeats(clock)
  const body = bodyOf({ network: joined, keys: fixture.keys }, 4, hostile.body)
  const addresses = body.addresses
  const skewed: Clock = {
    now: () => clock.now() + (hostile.answerSkew ?? 0),
    monotonic: () => clock.monotonic(),
    after: (ms, callback) => clock.after(ms, callback),
  }
  node.rpc.handle('admission.challenge', async (request) => ({
    answer: answerChallenge({ network: joined, key: applicant, addresses, clock: skewed }, request),
  }))
  node.rpc.handle('record.get', async () => ({}))
  hostile.prepare?.(node, seats)
  const desk = new AdmissionDesk({
    certificate: () => hostile.certificate && { body: bodyOf(fixture, 4, hostile.certificate) },
    beaconAfter: () => hostile.beacon,
    network: joined,
    key: validator,
    revocation: () => hostile.revocation,
    prober: network,
    help: { look: async () => hostile.others ?? 'found' },
    rpc: network.add(validator.id).rpc,
    gauges: { ...NO_GAUGES, ...hostile.gauges },
    region: () => hostile.validatorRegion,
    seats,
    stake: hostile.stake,
    isMember: () => false,
    isRelay: (id) => id === relayId,
    checks: ADMISSION_CHECKS.filter(({ name }) => name !== without),
    probes: [...protocolProbes(systemRandom), ...(hostile.probes ?? [])],
    clock,
    random: systemRandom,
    logger: silentLogger,
  })
  const bodyBytes = encodeCertificateBody(body)
  const payload = encodeApplication({
    bodyBytes,
    time: clock.now() + (hostile.applicationSkew ?? 0),
    nonce: systemRandom.bytes(16),
    proof: hostile.proof,
  })
  const signed = sealEnvelope('application', payload, hostile.signer ?? applicant)
  if (hostile.forgeSignature === true) signed.signature[0] = (signed.signature[0] as number) ^ 1
  const application = { $typeName: 'weft.v1.SignedEnvelope' as const, ...signed }
  let admitted = false
  const code = await codeOf(async () => {
    const { vote, shortfall } = await desk.judge(
      { application },
      { id: (hostile.caller ?? applicant).id, address: '/ip4/127.0.0.1/tcp/1' },
    )
    if (shortfall !== undefined) throw new WeftError({ code: 'E_SHORTFALL', cause: 'x', fix: 'y' })
    assert.ok(vote !== undefined)
    admitted = verifySignature('vote', bodyBytes, vote.signature, vote.signer) && vote.signer === validator.publicKey
  })
  return admitted ? 'admitted' : code
}

/** A node that is certified as a relay, for the validators here. */
const relayId = (fixture.keys[1] as SigningKey).id
const overRelay = formatRelayedAddress(relayId)
const smtp = '/ip4/127.0.0.1/tcp/25'
const reachedOver =
  (...addresses: readonly string[]) =>
  (node: MemoryNode): void => {
    for (const address of addresses) node.addresses.add(address)
  }

/** The network of the fixture with another policy. */
function withPolicy(policy: unknown): Network {
  return networkOf(parseNetworkFile(JSON.stringify({ ...fixture.network.file, policy })))
}

const invited = withPolicy('invite')
const mixed = withPolicy(['stake', 'invite'])

type Invited = { readonly way: 'invite' } & InvitationProof

/** The proof of an applicant that was invited by a validator. */
function invitation(changes: Partial<Invitation> = {}, network = invited, user = applicant): Invited {
  const limits = { roles: ['storage'] as const, uses: 1, expiresAt: BEGIN + DAY, node: undefined, ...changes }
  const { envelope, seed } = issueInvitation(network, [validator], limits)
  return { way: 'invite', ...proveInvitation(envelope, seed, user.publicKey) }
}

/** The same with other bytes in its envelope. */
function changed(part: Partial<InvitationProof['envelope']>): Invited {
  const proof = invitation()
  return { ...proof, envelope: { ...proof.envelope, ...part } }
}

/** Of which a network asks something for storage, and of which another is in the open. */
const asking = networkOf({ ...fixture.network.file, minimums: { storage: { bandwidthMbps: 20 } } })
const attesting = networkOf({ ...fixture.network.file, attesters: [ATTESTER.id] })

/** What an application to the attesting network says of its energy. */
function attested(changes: Partial<SignedEnvelope> = {}, attester = ATTESTER): Pick<CertificateBody, 'resources'> {
  const holder = { network: attesting.id, key: applicant.publicKey }
  const energy = attestedFor(holder, { carbon: 24, notAfter: BEGIN + 30 * DAY }, attester)
  const statement = { ...energy.statement, ...changes }
  return { resources: { site: 'home', energy: { ...energy, statement } } }
}
const { simulated: _places, ...openFile } = fixture.network.file
const inTheOpen = networkOf(openFile)

function claim(figures: Partial<Measured>): Measured {
  const none = { bandwidthMbps: undefined, lossPpm: undefined, storageBytes: undefined, availabilityPpm: undefined }
  return { ...none, ...figures }
}

/** Who answers a validator in eu-west at once. */
function elsewhere(body: Partial<CertificateBody>, pong?: Uint8Array): Applicant {
  return {
    network: inTheOpen,
    validatorRegion: 'eu-west',
    body: { simulated: false, diversityAddress: '127.0.0.1', ...body },
    prepare: (node) => void node.rpc.handle('peer.ping', async ({ nonce }) => ({ nonce: pong ?? nonce })),
  }
}

const RELAY: Partial<CertificateBody> = { roles: ['storage', 'entry', 'relay'], packets: packetsOf(4) }

/** A probe of packets that keeps what it is given and does what is asked of it. */
function packetProbe(outcome: (applicant: ProbedApplicant) => void) {
  const seen: ProbedApplicant[] = []
  const probe: ConformanceProbe = {
    role: 'packets',
    name: 'answers',
    async run(_probe, given) {
      seen.push(given)
      outcome(given)
    },
  }
  return { probe, seen }
}

function unreachable(packets: ProbedApplicant['packets']): never {
  throw unreachablePackets(packets?.addresses[0] ?? '')
}

function fails(why: string): () => never {
  return () => {
    throw new Error(why)
  }
}

/** A decision against the applicant. */
function ejected(issuedUpTo: number, blockedUntil: number): VerifiedRevocation {
  const body = {
    network: fixture.network.id,
    key: applicant.publicKey,
    issuedUpTo,
    blockedUntil,
    reason: 'abuse' as const,
    decidedAt: BEGIN,
  }
  return revocationOf(fixture, body)
}

const beacon: Beacon = { epoch: 2, value: new Uint8Array(32).fill(7), previous: -1 }
const right = { epoch: 2, value: beaconPosition(applicant.publicKey, beacon.value) }
const other = { epoch: 2, value: beaconPosition(stranger.publicKey, beacon.value) }

function beaconKeyOf(key: SigningKey): BeaconKeyEntry {
  return new OwnBeaconKey(fixture.network.id, key, systemRandom).entry
}

/** For each check an applicant that only this check stops. */
const HOSTILE: Record<string, { code: string; applicant: Applicant }[]> = {
  signature: [
    { code: 'E_ADMISSION_SIGNER', applicant: { signer: stranger } },
    { code: 'E_ADMISSION_SIGNER', applicant: { caller: stranger } },
    { code: 'E_SIGNATURE_INVALID', applicant: { forgeSignature: true } },
  ],
  position: [
    // A newcomer that names one, a member that would draw anew, and one that would not stand where the beacon put it.
    { code: 'E_ADMISSION_POSITION', applicant: { body: { position: right } } },
    { code: 'E_ADMISSION_POSITION', applicant: { certificate: { position: right } } },
    { code: 'E_ADMISSION_POSITION', applicant: { certificate: { position: right }, body: { position: other } } },
    { code: 'E_ADMISSION_POSITION', applicant: { certificate: {}, beacon } },
    { code: 'E_ADMISSION_POSITION', applicant: { certificate: {}, beacon, body: { position: other } } },
  ],
  'beacon-key': [{ code: 'E_BEACON_KEY', applicant: { body: { beaconKey: beaconKeyOf(applicant) } } }],
  attestation: [
    { code: 'E_ATTESTATION_SIGNER', applicant: { network: attesting, body: attested({}, stranger) } },
    {
      code: 'E_SIGNATURE_INVALID',
      applicant: { network: attesting, body: attested({ signature: new Uint8Array(64) }) },
    },
  ],
  network: [{ code: 'E_NETWORK_MISMATCH', applicant: { body: { network: otherNetwork.id } } }],
  'application-clock': [
    { code: 'E_CLOCK_SKEW', applicant: { applicationSkew: DAY } },
    { code: 'E_CLOCK_SKEW', applicant: { applicationSkew: -5_001 } },
  ],
  revoked: [
    { code: 'E_REVOKED', applicant: { revocation: ejected(-1, BEGIN + DAY) } },
    { code: 'E_REVOKED', applicant: { revocation: ejected(0, 0) } },
  ],
  term: [
    { code: 'E_ADMISSION_TERM', applicant: { body: { expiresAt: BEGIN + 30 * DAY } } },
    { code: 'E_ADMISSION_TERM', applicant: { body: { issuedEpoch: 1_000_000, expiresAt: BEGIN + DAY } } },
    { code: 'E_ADMISSION_TERM', applicant: { body: { expiresAt: BEGIN } } },
  ],
  packets: [
    { code: 'E_ADMISSION_PACKETS', applicant: { body: { roles: ['storage', 'relay'] } } },
    { code: 'E_ADMISSION_PACKETS', applicant: { body: { packets: packetsOf(4) } } },
    {
      code: 'E_ADMISSION_PACKETS',
      applicant: {
        body: {
          roles: ['exit'],
          packets: { ...packetsOf(4), addresses: ['/ip4/127.0.0.1/udp/20004', '/ip4/127.0.0.2/udp/20004'] },
        },
      },
    },
  ],
  place: [
    { code: 'E_ADMISSION_PLACE', applicant: { body: { family: 'somebody-else' } } },
    { code: 'E_ADMISSION_PLACE', applicant: { body: { diversityAddress: '203.0.113.9' } } },
    { code: 'E_ADMISSION_PLACE', applicant: { body: { simulated: false } } },
    {
      code: 'E_ADMISSION_PLACE',
      applicant: { body: { addresses: [smtp] }, prepare: reachedOver(smtp) },
    },
    {
      code: 'E_ADMISSION_PLACE',
      applicant: { body: { ...RELAY, packets: { ...packetsOf(4), addresses: ['/ip4/127.0.0.1/udp/53'] } } },
    },
  ],
  policy: [
    { code: 'E_PROOF_NEEDED', applicant: { network: invited } },
    { code: 'E_PROOF_NEEDED', applicant: { network: invited, proof: { way: 'stake', bytes: new Uint8Array(9) } } },
    { code: 'E_INVITE_NETWORK', applicant: { network: invited, proof: invitation({}, mixed) } },
    { code: 'E_INVITE_SIGNER', applicant: { network: invited, proof: changed({ signer: stranger.publicKey }) } },
    { code: 'E_SIGNATURE_INVALID', applicant: { network: invited, proof: changed({ signature: new Uint8Array(64) }) } },
    { code: 'E_INVITE_HOLDER', applicant: { network: invited, proof: invitation({}, invited, stranger) } },
    { code: 'E_INVITE_BOUND', applicant: { network: invited, proof: invitation({ node: stranger.publicKey }) } },
    { code: 'E_INVITE_ROLES', applicant: { network: invited, proof: invitation({ roles: ['mailbox', 'relay'] }) } },
    { code: 'E_INVITE_EXPIRED', applicant: { network: invited, proof: invitation({ expiresAt: BEGIN + 1_000 }) } },
    { code: 'E_POLICY_UNAVAILABLE', applicant: { network: mixed, proof: { way: 'stake', bytes: new Uint8Array(9) } } },
    {
      code: 'E_STAKE_LOW',
      applicant: { network: mixed, proof: { way: 'stake', bytes: new Uint8Array(9) }, stake: { verify: tooLittle } },
    },
  ],
  seat: [{ code: 'E_INVITE_USED', applicant: { network: invited, ...seatTakenMeanwhile() } }],
  reachability: [
    { code: 'E_ADMISSION_UNREACHABLE', applicant: { body: { addresses: [addressOf(4), addressOf(77)] } } },
    { code: 'E_ADMISSION_UNREACHABLE', applicant: { prepare: answerWith(stranger) } },
    {
      code: 'E_ADMISSION_UNREACHABLE',
      applicant: { prepare: (node) => node.rpc.handle('admission.challenge', async () => ({})) },
    },
  ],
  others: [{ code: 'E_ADMISSION_UNREACHABLE', applicant: { others: 'not-found' } }],
  relays: [
    {
      code: 'E_ADMISSION_RELAYED',
      applicant: { body: { roles: ['gateway'], addresses: [overRelay] }, prepare: reachedOver(overRelay) },
    },
    {
      code: 'E_ADMISSION_RELAYED',
      applicant: {
        body: { addresses: [formatRelayedAddress(stranger.id)] },
        prepare: reachedOver(formatRelayedAddress(stranger.id)),
      },
    },
    {
      code: 'E_ADMISSION_RELAYED',
      applicant: {
        body: { addresses: [formatRelayedAddress(applicant.id)] },
        prepare: reachedOver(formatRelayedAddress(applicant.id)),
      },
    },
  ],
  minimums: [
    { code: 'E_ROLE_MINIMUM', applicant: { network: asking } },
    { code: 'E_ROLE_MINIMUM', applicant: { network: asking, body: { measured: claim({ bandwidthMbps: 19 }) } } },
    { code: 'E_ADMISSION_CLAIM', applicant: { body: { measured: claim({ lossPpm: 0 }) } } },
  ],
  measured: [
    {
      code: 'E_SHORTFALL',
      applicant: { body: { measured: claim({ bandwidthMbps: 20 }) }, gauges: { bandwidth: async () => 19 } },
    },
    {
      code: 'E_SHORTFALL',
      applicant: {
        body: { ...RELAY, measured: claim({ lossPpm: 100 }) },
        gauges: { loss: async () => ({ sent: 400, lost: 3 }) },
      },
    },
    { code: 'E_ADMISSION_CLAIM', applicant: { body: { ...RELAY, measured: claim({ lossPpm: 100 }) } } },
    {
      code: 'E_SHORTFALL',
      applicant: { body: { measured: claim({ availabilityPpm: 900_000 }) }, gauges: { availability: () => 899_999 } },
    },
  ],
  region: [{ code: 'E_ADMISSION_REGION', applicant: elsewhere({ region: 'australia' }) }],
  'answer-clock': [{ code: 'E_CLOCK_SKEW', applicant: { answerSkew: -DAY } }],
  conformance: [
    { code: 'E_ADMISSION_CONFORMANCE', applicant: { body: RELAY, probes: [packetProbe(fails('it echoes')).probe] } },
    {
      code: 'E_ADMISSION_UNREACHABLE',
      applicant: { body: RELAY, probes: [packetProbe(({ packets }) => unreachable(packets)).probe] },
    },
    { code: 'E_ADMISSION_CONFORMANCE', applicant: { prepare: inventsRecords } },
    {
      code: 'E_ADMISSION_CONFORMANCE',
      applicant: { prepare: (node) => void (node.onRaw = () => ({ received: new Uint8Array(), state: 'open' })) },
    },
    {
      code: 'E_ADMISSION_CONFORMANCE',
      applicant: {
        prepare: (node) => void (node.onRaw = () => ({ received: faultFrame(1, 'E_OTHER'), state: 'reset' })),
      },
    },
    {
      code: 'E_ADMISSION_CONFORMANCE',
      applicant: {
        prepare: (node) => void (node.onRaw = () => ({ received: faultFrame(1, 'E_METHOD_UNKNOWN'), state: 'open' })),
      },
    },
  ],
}

async function tooLittle(): Promise<void> {
  throw new WeftError({ code: 'E_STAKE_LOW', cause: 'x', fix: 'y' })
}

/** Somebody else uses the same invitation while the applicant is challenged. */
function seatTakenMeanwhile(): Pick<Applicant, 'proof' | 'prepare'> {
  const proof = invitation()
  const request = { invitation: invitationId(proof.envelope.payload), uses: 1, key: stranger.publicKey }
  const prepare = (node: MemoryNode, seats: InvitationSeats): void => {
    node.rpc.handle('record.get', async () => {
      seats.take(request, BEGIN + DAY, false)
      return {}
    })
  }
  return { proof, prepare }
}

/** Somebody else answers the challenges. */
function answerWith(key: SigningKey): (node: MemoryNode) => void {
  return (node) => {
    const clock = new VirtualClock(BEGIN + 1_000)
    const init = { network: fixture.network, key, addresses: [addressOf(4)], clock }
    node.rpc.handle('admission.challenge', async (request) => ({ answer: answerChallenge(init, request) }))
  }
}

function inventsRecords(node: MemoryNode): void {
  node.rpc.handle('record.get', async () => ({
    record: { kind: { case: 'immutable', value: { value: new Uint8Array(3), expiresAt: 1n } } },
  }))
}

test('an applicant that does everything right gets a vote for exactly its body', async () => {
  assert.equal(await apply({}), 'admitted')
})

test('who keeps for others and is reached over a certified relay gets a vote', async () => {
  const body = { addresses: [overRelay, addressOf(4)] }
  assert.equal(await apply({ body: { addresses: [overRelay] }, prepare: reachedOver(overRelay) }), 'admitted')
  assert.equal(await apply({ body: { ...RELAY, ...body }, prepare: reachedOver(overRelay) }), 'admitted')
  assert.equal(await apply({ body }), 'E_ADMISSION_UNREACHABLE')
})

test('what the policy asks for admits: an invitation, a proof of stake, and nothing for a validator of the file', async () => {
  assert.equal(await apply({ network: invited, proof: invitation() }), 'admitted')
  assert.equal(await apply({ network: invited, proof: invitation({ node: applicant.publicKey }) }), 'admitted')
  assert.equal(await apply({ network: mixed, proof: invitation({}, mixed) }), 'admitted')
  const seen: unknown[] = []
  const stake: StakeVerifier = { verify: async (proof, { id }) => void seen.push([...proof], id) }
  const staked = { way: 'stake', bytes: Uint8Array.of(7) } as const
  assert.equal(await apply({ network: mixed, proof: staked, stake }), 'admitted')
  assert.deepEqual(seen, [[7], applicant.id])
})

test('who was not found by one member only, or of whom nobody says anything, is dialled back by the validator alone', async () => {
  assert.equal(await apply({ others: 'unknown' }), 'admitted')
})

test('what holds is certified as it is claimed, and what cannot be known yet is held against nobody', async () => {
  const all = claim({ bandwidthMbps: 20, lossPpm: 100, storageBytes: 5, availabilityPpm: 900_000 })
  const gauges = { bandwidth: async () => 20, loss: async () => ({ sent: 400, lost: 1 }), availability: () => 900_000 }
  assert.equal(await apply({ network: asking, body: { ...RELAY, measured: all }, gauges }), 'admitted')
  const unknown = { ...gauges, availability: () => undefined }
  assert.equal(await apply({ network: asking, body: { ...RELAY, measured: all }, gauges: unknown }), 'admitted')
})

test('a region is bounded only by a validator whose own is known, in the open; and by fresh answers only', async () => {
  assert.equal(await apply(elsewhere({ region: 'australia' })), 'E_ADMISSION_REGION')
  assert.equal(await apply({ ...elsewhere({ region: 'australia' }), validatorRegion: 'atlantis' }), 'admitted')
  assert.equal(await apply(elsewhere({ region: 'atlantis' })), 'admitted', 'a name that nobody knows is a hint')
  assert.equal(await apply(elsewhere({ region: 'eu-central' })), 'admitted')
  assert.equal(await apply(elsewhere({ region: 'australia' }, new Uint8Array(16))), 'admitted', 'no round trip')
  assert.equal(await apply({ validatorRegion: 'australia', body: { region: 'eu-central' } }), 'admitted', 'a devnet')
})

test('an invitation that others have used up is refused before anybody is dialled', async () => {
  const proof = invitation({ uses: 2 })
  const invitationName = invitationId(proof.envelope.payload)
  let dialled = false
  const prepare = (node: MemoryNode, seats: InvitationSeats): void => {
    for (const { publicKey } of testKeys(2))
      seats.take({ invitation: invitationName, uses: 2, key: publicKey }, BEGIN + DAY, false)
    node.rpc.handle('admission.challenge', async () => {
      dialled = true
      return {}
    })
  }
  assert.equal(await apply({ network: invited, proof, prepare }), 'E_INVITE_USED')
  assert.equal(dialled, false)
})

test('a probe of packets is run once for the node, over what it declared, and only for who carries packets', async () => {
  const addresses = [addressOf(4), addressOf(5)]
  const prepare = (node: MemoryNode): void => void node.addresses.add(addressOf(5))
  const { probe, seen } = packetProbe(() => {})
  assert.equal(await apply({ body: { ...RELAY, addresses }, prepare, probes: [probe] }), 'admitted')
  const { id } = applicant
  const expected = { networkId: fixture.network.id, id, roles: RELAY.roles, packets: packetsOf(4) }
  assert.deepEqual(seen, [expected])
  assert.equal(await apply({ body: { addresses }, prepare, probes: [probe] }), 'admitted')
  assert.equal(seen.length, 1)
})

test('the probe of a role may not pass its fault off as an address that was not reached', async () => {
  const { probe } = packetProbe(({ packets }) => unreachable(packets))
  const ofRelay: ConformanceProbe = { ...probe, role: 'relay' }
  assert.equal(await apply({ body: RELAY, probes: [ofRelay] }), 'E_ADMISSION_CONFORMANCE')
})

test('who is not reached by UDP reads at which port, and what to open', () => {
  const { code, cause, fix } = unreachablePackets('/ip6/2001:db8::7/udp/4782')
  assert.equal(code, 'E_ADMISSION_UNREACHABLE')
  assert.match(cause, /\/ip6\/2001:db8::7\/udp\/4782 failed the probe: .* on UDP port 4782 of 2001:db8::7\.$/)
  assert.match(fix, /^Open UDP port 4782 \(ports\.public \+ 2\)/)
})

test('every check of admission has a hostile applicant here', () => {
  assert.deepEqual(Object.keys(HOSTILE).toSorted(), ADMISSION_CHECKS.map(({ name }) => name).toSorted())
})

for (const [name, cases] of Object.entries(HOSTILE)) {
  for (const [index, { code, applicant: hostile }] of cases.entries()) {
    test(`check ${name}, case ${index + 1}: it refuses, and nothing else would`, async () => {
      assert.equal(await apply(hostile), code)
      assert.equal(await apply(hostile, name), 'admitted')
    })
  }
}

test('an application that fails a cheap check causes no dialling', async () => {
  let dialled = false
  await apply({
    body: { family: 'somebody-else' },
    prepare: (node) =>
      node.rpc.handle('admission.challenge', async () => {
        dialled = true
        return {}
      }),
  })
  assert.equal(dialled, false)
})

test('one node is judged once at a time, and only so many wait', async () => {
  const clock = new VirtualClock(BEGIN + 1_000)
  const network = new MemoryNetwork(clock)
  const { promise, reject } = Promise.withResolvers<never>()
  const desk = new AdmissionDesk({
    certificate: () => undefined,
    beaconAfter: NO_BEACONS.after,
    revocation: NO_REVOCATIONS.of,
    network: fixture.network,
    key: validator,
    prober: network,
    help: NO_HELP,
    rpc: network.add(validator.id).rpc,
    gauges: NO_GAUGES,
    region: () => undefined,
    seats: memorySeats(clock),
    isMember: () => false,
    isRelay: () => false,
    checks: [{ name: 'slow', run: () => promise }],
    probes: [],
    clock,
    random: systemRandom,
    logger: silentLogger,
  })
  const bodyBytes = encodeCertificateBody(bodyOf(fixture, 4))
  const payload = encodeApplication({ bodyBytes, time: clock.now(), nonce: systemRandom.bytes(16) })
  const application = {
    $typeName: 'weft.v1.SignedEnvelope' as const,
    ...sealEnvelope('application', payload, applicant),
  }
  const judge = (id: DidKey, host: number): Promise<string> =>
    codeOf(() => desk.judge({ application }, { id, address: `/ip4/10.0.0.${host}/tcp/1` }))
  const first = judge(applicant.id, 1)
  assert.equal(await judge(applicant.id, 2), 'E_ADMISSION_BUSY')
  const others = testKeys(71).map(({ id }, index) => judge(id, index + 3))
  assert.equal(await judge(stranger.id, 200), 'E_ADMISSION_BUSY', 'eight are judged and 64 wait')
  reject(new WeftError({ code: 'E_ENOUGH', cause: 'x', fix: 'y' }))
  assert.deepEqual(new Set(await Promise.all([first, ...others])), new Set(['E_ENOUGH']))
  assert.equal(await judge(applicant.id, 1), 'E_ENOUGH', 'then it may apply again')
})

test('a wait for its turn does not make an application old', async () => {
  const clock = new VirtualClock(BEGIN + 1_000)
  const network = new MemoryNetwork(clock)
  const slow = { name: 'slow', run: () => wait(clock, 6_000) }
  const checks = [slow, ...ADMISSION_CHECKS.filter(({ name }) => name === 'application-clock')]
  const desk = new AdmissionDesk({
    certificate: () => undefined,
    beaconAfter: NO_BEACONS.after,
    revocation: NO_REVOCATIONS.of,
    network: fixture.network,
    key: validator,
    prober: network,
    help: NO_HELP,
    rpc: network.add(validator.id).rpc,
    gauges: NO_GAUGES,
    region: () => undefined,
    seats: memorySeats(clock),
    isMember: () => false,
    isRelay: () => false,
    checks,
    probes: [],
    clock,
    random: systemRandom,
    logger: silentLogger,
  })
  const bodyBytes = encodeCertificateBody(bodyOf(fixture, 4))
  const payload = encodeApplication({ bodyBytes, time: clock.now(), nonce: systemRandom.bytes(16) })
  const application = {
    $typeName: 'weft.v1.SignedEnvelope' as const,
    ...sealEnvelope('application', payload, applicant),
  }
  const outcomes = testKeys(16).map(({ id }) =>
    codeOf(() => desk.judge({ application }, { id, address: '/ip4/127.0.0.1/tcp/1' })),
  )
  await advance(clock, 30_000)
  assert.deepEqual(
    await Promise.all(outcomes),
    Array.from({ length: 16 }, () => 'nothing'),
  )
})

test('a member keeps its position, and takes the one of the first beacon after its certificate', async () => {
  assert.equal(await apply({ certificate: { position: right }, body: { position: right } }), 'admitted')
  assert.equal(await apply({ certificate: {}, beacon, body: { position: right } }), 'admitted')
  assert.equal(await apply({ certificate: {} }), 'admitted', 'no beacon yet')
})

test('a validator lists the beacon key that it has the secret half of, and no other', async () => {
  const check = (beaconKey: BeaconKeyEntry): Promise<string> =>
    codeOf(() => {
      const body = bodyOf(fixture, 0, { beaconKey })
      const admission = { network: fixture.network, application: { body } } as AdmissionCase
      return beaconKeyCheck.run(admission, new AbortController().signal)
    })
  assert.equal(await check(beaconKeyOf(validator)), 'nothing')
  assert.equal(await check(beaconKeyOf(stranger)), 'E_BEACON_KEY')
})
