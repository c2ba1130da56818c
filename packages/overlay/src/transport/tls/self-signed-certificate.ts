import { type KeyObject, sign } from 'node:crypto'
import { systemRandom, utf8 } from '@weft/core'
import { TAG, contextTag, der } from './der.ts'

/** ecdsa-with-SHA256: 1.2.840.10045.4.3.2 (RFC 5758, section 3.2). */
const ECDSA_WITH_SHA256 = Uint8Array.fromHex('2a8648ce3d040302')
// The certificate never expires by itself and is valid on any clock (RFC 5280, section 4.1.2.5): a clock that is off
// is for admission to judge, with a reason, and not for a handshake to fail on.
const NOT_BEFORE = utf8('20000101000000Z')
const NOT_AFTER = utf8('99991231235959Z')

/** Whom a certificate names, when it holds and its number; DER of a Name and of two times. */
export interface CertificateTerms {
  readonly name: Uint8Array
  readonly notBefore: Uint8Array
  readonly notAfter: Uint8Array
  /** The content of an INTEGER; a random one by itself. */
  readonly serial?: Uint8Array
}

const OF_NOBODY: CertificateTerms = {
  name: der(TAG.sequence),
  notBefore: der(TAG.generalizedTime, NOT_BEFORE),
  notAfter: der(TAG.generalizedTime, NOT_AFTER),
}

/**
 * An X.509 certificate (RFC 5280) of a P-256 key, signed by that key, by default in the name of nobody. DER.
 * @param extensions whole, DER
 */
export function selfSignedCertificate(
  keys: { readonly spki: Uint8Array; readonly privateKey: KeyObject },
  extensions: readonly Uint8Array[],
  { name, notBefore, notAfter, serial = serialNumber() }: CertificateTerms = OF_NOBODY,
): Uint8Array {
  const algorithm = der(TAG.sequence, der(TAG.oid, ECDSA_WITH_SHA256))
  const body = der(
    TAG.sequence,
    // Version 3.
    der(contextTag(0), der(TAG.integer, Uint8Array.of(2))),
    der(TAG.integer, serial),
    algorithm,
    name,
    der(TAG.sequence, notBefore, notAfter),
    name,
    keys.spki,
    ...(extensions.length === 0 ? [] : [der(contextTag(3), der(TAG.sequence, ...extensions))]),
  )
  const signature = new Uint8Array(sign('sha256', body, keys.privateKey))
  return der(TAG.sequence, body, algorithm, der(TAG.bitString, Uint8Array.of(0), signature))
}

/** A certificate or key as OpenSSL takes it (RFC 7468). */
export function pem(label: string, bytes: Uint8Array): string {
  const lines = bytes.toBase64().match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

/** Positive and without a leading zero byte, as DER wants its integers. */
function serialNumber(): Uint8Array {
  const bytes = systemRandom.bytes(16)
  bytes[0] = ((bytes[0] as number) & 0x3f) | 0x40
  return bytes
}
