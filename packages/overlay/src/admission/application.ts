import { WeftError } from '@weft/core'
import { decodeCanonical, encodeCanonical } from '../codec/canonical-cbor.ts'
import { bytesOf, integerOf, timeOf, tupleOf } from '../codec/strict-values.ts'
import { type AdmissionProof, MAX_ADMISSION_PROOF, proofField, proofOf } from './admission-proof.ts'
import { MAX_CERTIFICATE_BODY, type CertificateBody, decodeCertificateBody } from './certificate-body.ts'

/** What an applicant signs (purpose `application`) and sends to every validator. */
export interface Application {
  /** The exact bytes that it wants certified. */
  readonly bodyBytes: Uint8Array
  readonly body: CertificateBody
  /** The applicant's clock, ms since the Unix epoch. */
  readonly time: number
  /** 16 random bytes: no two applications are alike. */
  readonly nonce: Uint8Array
  /** What the policy of the network asks for; undefined where that is nothing. */
  readonly proof: AdmissionProof | undefined
}

const VERSION = 2
const NONCE_LENGTH = 16
/** The body, the proof, and at most 64 bytes around them. */
const MAX_APPLICATION = MAX_CERTIFICATE_BODY + MAX_ADMISSION_PROOF + 64

export function encodeApplication({
  bodyBytes,
  time,
  nonce,
  proof,
}: Pick<Application, 'bodyBytes' | 'time' | 'nonce'> & Partial<Pick<Application, 'proof'>>): Uint8Array {
  return encodeCanonical([VERSION, bodyBytes, time, nonce, proofField(proof)])
}

/** @throws WeftError E_APPLICATION_MALFORMED, E_CERTIFICATE_MALFORMED */
export function decodeApplication(bytes: Uint8Array): Application {
  const value = decodeCanonical(bytes, MAX_APPLICATION, refuse)
  if (Array.isArray(value) && value[0] === 1)
    throw refuse('it is of version 1, which had no place for an invitation; this is version 2')
  const [version, body, time, nonce, proof] = tupleOf(value, 'application', 5, refuse)
  integerOf(version, 'version', VERSION, VERSION, refuse)
  if (!(body instanceof Uint8Array)) throw refuse('body must be bytes')
  return {
    bodyBytes: body,
    body: decodeCertificateBody(body),
    time: timeOf(time, 'time', refuse),
    nonce: bytesOf(nonce, 'nonce', NONCE_LENGTH, refuse),
    proof: proofOf(proof, refuse),
  }
}

function refuse(why: string): WeftError {
  return new WeftError({
    code: 'E_APPLICATION_MALFORMED',
    cause: `An application for membership cannot be used: ${why}.`,
    fix: 'The applicant has to follow docs/specs/admission.md; update the older of the two sides.',
  })
}
