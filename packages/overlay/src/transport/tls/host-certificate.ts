import { type KeyObject, generateKeyPairSync } from 'node:crypto'
import { publicKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { concatBytes, utf8 } from '@weft/core'
import { TAG, der } from './der.ts'
import { selfSignedCertificate } from './self-signed-certificate.ts'

/** The extension that ties a TLS key to a libp2p identity: 1.3.6.1.4.1.53594.1.1 (libp2p specs, tls, section "libp2p Public Key Extension"). */
export const IDENTITY_EXTENSION = Uint8Array.fromHex('2b0601040183a25a0101')
const HANDSHAKE_PREFIX = utf8('libp2p-tls-handshake:')

export interface HostCertificate {
  /** DER. */
  readonly certificate: Uint8Array
  /** Of this process alone; P-256. */
  readonly key: KeyObject
}

/**
 * A self-signed X.509 certificate (RFC 5280) over a fresh P-256 key, which the node key vouches for in an extension.
 * One per process: the key only proves the handshake, the session keys come from the key exchange.
 */
export async function createHostCertificate(identity: PrivateKey): Promise<HostCertificate> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }))
  const vouch = await identity.sign(signedBytes(spki))
  const signedKey = der(
    TAG.sequence,
    der(TAG.octetString, publicKeyToProtobuf(identity.publicKey)),
    der(TAG.octetString, vouch),
  )
  const extension = der(
    TAG.sequence,
    der(TAG.oid, IDENTITY_EXTENSION),
    der(TAG.boolean, Uint8Array.of(0xff)),
    der(TAG.octetString, signedKey),
  )
  const certificate = selfSignedCertificate({ spki, privateKey }, [extension])
  return { certificate, key: privateKey }
}

/** What the node key signs: the prefix and the TLS key (libp2p specs, tls). */
export function signedBytes(spki: Uint8Array): Uint8Array {
  return concatBytes([HANDSHAKE_PREFIX, spki])
}
