import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, type Random, type VirtualClock, seededRandom } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { type CertificateBody, encodeCertificateBody } from '../src/admission/certificate-body.ts'
import { type VerifiedCertificate, verifyCertificate } from '../src/admission/certificate.ts'
import type { Gauges } from '../src/admission/measure/gauges.ts'
import type { DialHelp } from '../src/admission/dial-help.ts'
import type { AdmissionProfile } from '../src/admission/admission-profile.ts'
import { InvitationSeats } from '../src/invitation/invitation-seats.ts'
import type { PacketService } from '../src/member.ts'
import { type Network, networkOf } from '../src/network/network.ts'
import { parseNetworkFile } from '../src/network/network-file.ts'
import { type RevocationBody, encodeRevocationBody } from '../src/revocation/revocation-body.ts'
import { type VerifiedRevocation, verifyRevocation } from '../src/revocation/revocation.ts'
import type { Revocations } from '../src/revocation/revocations.ts'
import { MemoryMembershipStore } from '../src/state/memory-membership-store.ts'
import { create, CertificateSchema, RevocationSchema } from '@weft/wire'

/** When the networks of the tests began, ms since the Unix epoch. */
export const BEGIN = 1_800_000_000_000
export const EPOCH = 5_000

const random: Random = seededRandom(20_260_101)

/** Of a map body in a network that has had no beacon. */
export const NO_BEACON = { placed: 0, beacon: undefined, inputs: undefined } as const

/** Where nodes have no positions. */
export const NO_BEACONS = { after: () => undefined, newestEpoch: -1, onChange: () => () => {} } as const

/** Repeatable keys. */
export function testKeys(count: number): SigningKey[] {
  return Array.from({ length: count }, () => new SigningKey(random.bytes(32)))
}

export function addressOf(index: number): string {
  return `/ip4/127.0.0.1/tcp/${20_000 + index}`
}

export interface TestNetworkFile {
  readonly network: Network
  /** The first ones are validators; the table of places names all. */
  readonly keys: readonly SigningKey[]
}

/** A simulated network of `validators` validators and further `others`. */
export function testNetwork(validators = 4, others = 2, changes: Record<string, unknown> = {}): TestNetworkFile {
  const keys = testKeys(validators + others)
  const file = {
    schemaVersion: 1,
    name: 'test',
    mapEpochMs: EPOCH,
    createdAt: BEGIN,
    validators: keys.slice(0, validators).map(({ id }, index) => ({
      id,
      addresses: [addressOf(index)],
      roles: ['validator', 'storage'],
      family: `family-${index}`,
    })),
    simulated: Object.fromEntries(
      keys.map(({ id }, index) => [
        id,
        {
          address: `198.51.${index}.1`,
          asn: 64_500 + index,
          family: `family-${index}`,
          country: 'CH',
          region: 'eu-central',
        },
      ]),
    ),
    ...changes,
  }
  return { network: networkOf(parseNetworkFile(JSON.stringify(file))), keys }
}

export function profileOf({ network, keys }: TestNetworkFile, index: number): AdmissionProfile {
  const key = keys[index] as SigningKey
  return {
    network: network.id,
    key: key.publicKey,
    id: key.id,
    roles: network.isValidator(key.id) ? ['validator', 'storage'] : ['storage'],
    addresses: [addressOf(index)],
    family: `family-${index}`,
    region: 'eu-central',
    country: 'CH',
    asn: 64_500 + index,
    diversityAddress: `198.51.${index}.1`,
    simulated: true,
    packets: undefined,
    position: undefined,
    beaconKey: undefined,
    measured: undefined,
    resources: undefined,
  }
}

/** Where the node of this index would take packets. */
export function packetsOf(index: number): PacketService {
  return {
    addresses: [`/ip4/127.0.0.1/udp/${20_000 + index}`],
    linkKey: new Uint8Array(32).fill(1),
    onionKey: new Uint8Array(32).fill(2),
  }
}

export function bodyOf(test: TestNetworkFile, index: number, changes: Partial<CertificateBody> = {}): CertificateBody {
  return { ...profileOf(test, index), issuedEpoch: 0, expiresAt: BEGIN + 24 * 3_600_000, ...changes }
}

/** A certificate with the votes of the given validators, verified unless there are too few of them. */
export function wireCertificate(body: CertificateBody, voters: readonly SigningKey[]) {
  const bytes = encodeCertificateBody(body)
  const votes = voters.map((key) => ({ signer: key.publicKey, signature: key.sign('vote', bytes) }))
  return create(CertificateSchema, { body: bytes, votes })
}

export function certificateOf(
  test: TestNetworkFile,
  index: number,
  changes: Partial<CertificateBody> = {},
): VerifiedCertificate {
  return verifyCertificate(
    test.network,
    wireCertificate(bodyOf(test, index, changes), test.keys.slice(0, test.network.quorum)),
  )
}

/** Seats of invitations that are kept nowhere else. */
export const memorySeats = (clock: Clock): InvitationSeats => new InvitationSeats(new MemoryMembershipStore(), clock)

/** A decision with the votes of a quorum. */
export function revocationOf(
  { network, keys }: TestNetworkFile,
  body: Omit<RevocationBody, 'id'>,
  voters: readonly SigningKey[] = keys.slice(0, network.quorum),
): VerifiedRevocation {
  return verifyRevocation(network, wireRevocation(encodeRevocationBody(body), voters))
}

export function wireRevocation(bytes: Uint8Array, voters: readonly SigningKey[]) {
  const votes = voters.map((key) => ({ signer: key.publicKey, signature: key.sign('revoke', bytes) }))
  return create(RevocationSchema, { body: bytes, votes })
}

/** Nobody was ever ejected. */
export const NO_REVOCATIONS: Pick<Revocations, 'size' | 'of' | 'voids' | 'onChange'> = {
  size: 0,
  of: () => undefined,
  voids: () => false,
  onChange: () => () => {},
}

/** Nothing is measured, and nothing is held against anybody. */
export const NO_GAUGES: Gauges = {
  loss: undefined,
  availability: () => undefined,
  bandwidth: async (...[, , , claimed]) => claimed,
}

/** No member dials for a validator. */
export const NO_HELP: Pick<DialHelp, 'look'> = { look: async () => 'unknown' }

/** A directory that goes with the test; in memory where the system has such a place, as these tests sync very often. */
export function temporaryDirectory(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'weft-overlay-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** Moves virtual time, after what was started had the time to set its timers. */
export async function advance(clock: VirtualClock, ms: number): Promise<void> {
  await clock.advance(0)
  await clock.advance(ms)
}

/** The code of what is thrown; `nothing` when nothing is. */
export async function codeOf(task: () => unknown): Promise<string> {
  try {
    await task()
    return 'nothing'
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}
