import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { systemRandom, utf8 } from '@weft/core'
import { TAG, der, readDer, readOne } from './der.ts'
import { pem, selfSignedCertificate } from './self-signed-certificate.ts'

/** id-at-commonName: 2.5.4.3 (RFC 5280, appendix A.1). */
const COMMON_NAME = Uint8Array.fromHex('550403')
/** 2.5.29.14, 35, 19 and 17 (RFC 5280, section 4.2.1), and the choices keyIdentifier, [0], and dNSName, [2]. */
const SUBJECT_KEY = Uint8Array.fromHex('551d0e')
const AUTHORITY_KEY = Uint8Array.fromHex('551d23')
const BASIC_CONSTRAINTS = Uint8Array.fromHex('551d13')
const ALTERNATIVE_NAME = Uint8Array.fromHex('551d11')
const KEY_IDENTIFIER = 0x80
const DNS_NAME = 0x82
const TRUE = der(TAG.boolean, Uint8Array.of(0xff))
const SERIAL_BYTES = 20
const YEAR_MS = 365 * 86_400_000

/** A fresh P-256 key, PEM. */
export function createWebKey(): string {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'pem', type: 'pkcs8' })
}

/**
 * A certificate as people make them who run a small web server without an authority: what `openssl req -x509 -days 365 -subj /CN=NAME -addext
 * subjectAltName=DNS:NAME` of OpenSSL 3 makes of the key, field for field. One of another form would be found among all others. PEM.
 * @param key P-256, PEM
 * @param now ms since the Unix epoch
 */
export function createWebCertificate(key: string, name: string, now: number): string {
  const privateKey = createPrivateKey(key)
  const spki = new Uint8Array(createPublicKey(privateKey).export({ format: 'der', type: 'spki' }))
  const commonName = der(TAG.sequence, der(TAG.oid, COMMON_NAME), der(TAG.utf8String, utf8(name)))
  const keyId = keyIdOf(spki)
  const certificate = selfSignedCertificate(
    { spki, privateKey },
    [
      extension(SUBJECT_KEY, der(TAG.octetString, keyId)),
      extension(AUTHORITY_KEY, der(TAG.sequence, der(KEY_IDENTIFIER, keyId))),
      extension(BASIC_CONSTRAINTS, der(TAG.sequence, TRUE), TRUE),
      extension(ALTERNATIVE_NAME, der(TAG.sequence, der(DNS_NAME, utf8(name)))),
    ],
    {
      name: der(TAG.sequence, der(TAG.set, commonName)),
      notBefore: utcTime(now),
      notAfter: utcTime(now + YEAR_MS),
      serial: serialNumber(),
    },
  )
  return pem('CERTIFICATE', certificate)
}

/** SHA-1 of the bits of the key: method 1 of RFC 5280, section 4.2.1.2. */
function keyIdOf(spki: Uint8Array): Uint8Array {
  const [, bits] = readDer(readOne(spki, TAG.sequence))
  return createHash('sha1')
    .update(bits?.content.subarray(1) ?? new Uint8Array())
    .digest()
}

function extension(oid: Uint8Array, value: Uint8Array, ...critical: readonly Uint8Array[]): Uint8Array {
  return der(TAG.sequence, der(TAG.oid, oid), ...critical, der(TAG.octetString, value))
}

/** Positive and without a leading zero byte, as DER wants its integers. */
function serialNumber(): Uint8Array {
  const bytes = systemRandom.bytes(SERIAL_BYTES)
  bytes[0] = Math.max(1, (bytes[0] as number) & 0x7f)
  return bytes
}

/** YYMMDDHHMMSSZ, for years up to 2049 (RFC 5280, section 4.1.2.5.1). */
function utcTime(ms: number): Uint8Array {
  const digits = new Date(ms).toISOString().replaceAll(/\D/g, '').slice(2, 14)
  return der(TAG.utcTime, utf8(`${digits}Z`))
}
