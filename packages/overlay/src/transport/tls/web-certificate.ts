import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { utf8 } from '@weft/core'
import { TAG, der } from './der.ts'
import { pem, selfSignedCertificate } from './self-signed-certificate.ts'

/** id-at-commonName: 2.5.4.3 (RFC 5280, appendix A.1). */
const COMMON_NAME = Uint8Array.fromHex('550403')
/** id-ce-subjectAltName: 2.5.29.17 (RFC 5280, section 4.2.1.6), and its choice dNSName, [2]. */
const ALTERNATIVE_NAME = Uint8Array.fromHex('551d11')
const DNS_NAME = 0x82
const YEAR_MS = 365 * 86_400_000

/** A fresh P-256 key, PEM. */
export function createWebKey(): string {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'pem', type: 'pkcs8' })
}

/**
 * A certificate as people make them who run a small web server without an authority: of a name, for two years from now on. PEM.
 * @param key P-256, PEM
 * @param now ms since the Unix epoch
 */
export function createWebCertificate(key: string, name: string, now: number): string {
  const privateKey = createPrivateKey(key)
  const spki = new Uint8Array(createPublicKey(privateKey).export({ format: 'der', type: 'spki' }))
  const commonName = der(TAG.sequence, der(TAG.oid, COMMON_NAME), der(TAG.utf8String, utf8(name)))
  const alternative = der(TAG.sequence, der(DNS_NAME, utf8(name)))
  const certificate = selfSignedCertificate(
    { spki, privateKey },
    [der(TAG.sequence, der(TAG.oid, ALTERNATIVE_NAME), der(TAG.octetString, alternative))],
    {
      name: der(TAG.sequence, der(TAG.set, commonName)),
      notBefore: utcTime(now),
      notAfter: utcTime(now + 2 * YEAR_MS),
    },
  )
  return pem('CERTIFICATE', certificate)
}

/** YYMMDDHHMMSSZ, for years up to 2049 (RFC 5280, section 4.1.2.5.1). */
function utcTime(ms: number): Uint8Array {
  const digits = new Date(ms).toISOString().replaceAll(/\D/g, '').slice(2, 14)
  return der(TAG.utcTime, utf8(`${digits}Z`))
}
