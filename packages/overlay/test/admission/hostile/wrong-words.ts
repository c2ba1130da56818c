import type { SignedEnvelope } from '@weft/crypto'
import type { CertificateBody } from '../../../src/admission/certificate-body.ts'
import { networkOf } from '../../../src/network/network.ts'
import { BEGIN, revocationOf, testNetwork } from '../../fixtures.ts'
import { ATTESTER, attestedFor } from '../../resources/any-resources.ts'
import type { VerifiedRevocation } from '../../../src/revocation/revocation.ts'
import { DAY, fixture, type Hostile, applicant, stranger } from '../apply.ts'
import { beacon, right, other, beaconKeyOf } from './beacons.ts'

const otherNetwork = testNetwork(1, 0).network
const attesting = networkOf({ ...fixture.network.file, attesters: [ATTESTER.id] })

/** What an application to the attesting network says of its energy. */
function attested(changes: Partial<SignedEnvelope> = {}, attester = ATTESTER): Pick<CertificateBody, 'resources'> {
  const holder = { network: attesting.id, key: applicant.publicKey }
  const energy = attestedFor(holder, { carbon: 24, notAfter: BEGIN + 30 * DAY }, attester)
  const statement = { ...energy.statement, ...changes }
  return { resources: { site: 'home', energy: { ...energy, statement } } }
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

/** Who signs, claims or dates what is not so. */
export const WRONG_WORDS: Record<string, readonly Hostile[]> = {
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
  'answer-clock': [{ code: 'E_CLOCK_SKEW', applicant: { answerSkew: -DAY } }],
}
