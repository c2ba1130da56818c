import assert from 'node:assert/strict'
import { type Clock, VirtualClock, WeftError, silentLogger, systemRandom } from '@weft/core'
import { type SigningKey, sealEnvelope, verifySignature } from '@weft/crypto'
import { ADMISSION_CHECKS } from '../../src/admission/admission-checks.ts'
import { AdmissionDesk } from '../../src/admission/admission-desk.ts'
import type { AdmissionProof } from '../../src/admission/admission-proof.ts'
import type { DialVerdict } from '../../src/admission/dial-help.ts'
import { encodeApplication } from '../../src/admission/application.ts'
import { answerChallenge } from '../../src/admission/challenge-responder.ts'
import { type CertificateBody, encodeCertificateBody } from '../../src/admission/certificate-body.ts'
import { protocolProbes } from '../../src/admission/protocol-probes.ts'
import type { Gauges } from '../../src/admission/measure/gauges.ts'
import type { ConformanceProbe } from '../../src/admission/probe.ts'
import type { StakeVerifier } from '../../src/admission/stake-verifier.ts'
import type { InvitationSeats } from '../../src/invitation/invitation-seats.ts'
import type { Network } from '../../src/network/network.ts'
import { formatRelayedAddress } from '../../src/network/relayed-address.ts'
import { NO_GAUGES, BEGIN, addressOf, bodyOf, codeOf, memorySeats, packetsOf, testNetwork } from '../fixtures.ts'
import type { VerifiedRevocation } from '../../src/revocation/revocation.ts'
import { MemoryNetwork, type MemoryNode } from '../memory-network.ts'
import type { Beacon } from '../../src/beacon/beacon.ts'

export const DAY = 86_400_000
export const fixture = testNetwork(4, 2)
export const [validator, , , , applicant, stranger] = fixture.keys as [
  SigningKey,
  SigningKey,
  SigningKey,
  SigningKey,
  SigningKey,
  SigningKey,
]

/** What an applicant may get wrong; by default it gets all right. */
export interface Applicant {
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
  /** Whether it holds a certificate already. */
  readonly isMember?: boolean
  /** What the validator asks beside the protocol's own. */
  readonly probes?: readonly ConformanceProbe[]
}

/** One that a check stops, and with what. */
export interface Hostile {
  readonly code: string
  readonly applicant: Applicant
}

/** A node that is certified as a relay, for the validators here. */
const relayId = (fixture.keys[1] as SigningKey).id

/** Sends an application to a validator that has all checks but those named. The vote, or the code of the refusal. */
export async function apply(hostile: Applicant, without?: string): Promise<string> {
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
    isMember: () => hostile.isMember === true,
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

export const overRelay = formatRelayedAddress(relayId)
export const reachedOver =
  (...addresses: readonly string[]) =>
  (node: MemoryNode): void => {
    for (const address of addresses) node.addresses.add(address)
  }

export const RELAY: Partial<CertificateBody> = { roles: ['storage', 'entry', 'relay'], packets: packetsOf(4) }
