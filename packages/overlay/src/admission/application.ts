import { WeftError } from '@weft/core'
import { decodeCanonical, encodeCanonical } from '../codec/canonical-cbor.ts'
import { bytesOf, integerOf, tupleOf } from '../codec/strict-values.ts'
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
}

const VERSION = 1
const NONCE_LENGTH = 16
/** The body and at most 64 bytes around it. */
const MAX_APPLICATION = MAX_CERTIFICATE_BODY + 64

export function encodeApplication(application: Pick<Application, 'bodyBytes' | 'time' | 'nonce'>): Uint8Array {
  return encodeCanonical([VERSION, application.bodyBytes, application.time, application.nonce])
}

/** @throws WeftError E_APPLICATION_MALFORMED, E_CERTIFICATE_MALFORMED */
export function decodeApplication(bytes: Uint8Array): Application {
  const [version, body, time, nonce] = tupleOf(
    decodeCanonical(bytes, MAX_APPLICATION, refuse),
    'application',
    4,
    refuse,
  )
  integerOf(version, 'version', VERSION, VERSION, refuse)
  if (!(body instanceof Uint8Array)) throw refuse('body must be bytes')
  return {
    bodyBytes: body,
    body: decodeCertificateBody(body),
    time: integerOf(time, 'time', 0, Number.MAX_SAFE_INTEGER, refuse),
    nonce: bytesOf(nonce, 'nonce', NONCE_LENGTH, refuse),
  }
}

function refuse(why: string): WeftError {
  return new WeftError({
    code: 'E_APPLICATION_MALFORMED',
    cause: `An application for membership cannot be used: ${why}.`,
    fix: 'The applicant has to follow docs/specs/admission.md; update the older of the two sides.',
  })
}
