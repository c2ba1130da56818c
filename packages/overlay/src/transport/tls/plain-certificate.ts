import { generateKeyPairSync } from 'node:crypto'
import { pem, selfSignedCertificate } from './self-signed-certificate.ts'

/** Both PEM (RFC 7468). */
export interface PlainCertificate {
  readonly certificate: string
  readonly key: string
}

/** A certificate that names nobody, with its key: for TLS under something that knows by itself who the other side is. */
export function createPlainCertificate(): PlainCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }))
  return {
    certificate: pem('CERTIFICATE', selfSignedCertificate({ spki, privateKey }, [])),
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }),
  }
}
