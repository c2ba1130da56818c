import { X509Certificate, createHash, createPublicKey } from 'node:crypto'

/** SHA-256 of the public key of a certificate (SubjectPublicKeyInfo, DER), as RFC 7469, section 2.4. @param certificate DER or PEM */
export function pinOf(certificate: Uint8Array | string): Uint8Array {
  const { publicKey } = new X509Certificate(certificate)
  return createHash('sha256')
    .update(publicKey.export({ format: 'der', type: 'spki' }))
    .digest()
}

/** The same of a key. @param key PEM, secret or public */
export function pinOfKey(key: string): Uint8Array {
  return createHash('sha256')
    .update(createPublicKey(key).export({ format: 'der', type: 'spki' }))
    .digest()
}
