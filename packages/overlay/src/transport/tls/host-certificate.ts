import { type KeyObject, generateKeyPairSync, sign } from 'node:crypto'
import { publicKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { concatBytes, systemRandom, utf8 } from '@weft/core'
import { TAG, contextTag, der } from './der.ts'

/** The extension that ties a TLS key to a libp2p identity: 1.3.6.1.4.1.53594.1.1 (libp2p specs, tls, section "libp2p Public Key Extension"). */
export const IDENTITY_EXTENSION = Uint8Array.fromHex('2b0601040183a25a0101')
const HANDSHAKE_PREFIX = utf8('libp2p-tls-handshake:')
/** ecdsa-with-SHA256: 1.2.840.10045.4.3.2 (RFC 5758, section 3.2). */
const ECDSA_WITH_SHA256 = Uint8Array.fromHex('2a8648ce3d040302')
// The certificate never expires by itself and is valid on any clock (RFC 5280, section 4.1.2.5): a clock that is off
// is for admission to judge, with a reason, and not for a handshake to fail on.
const NOT_BEFORE = utf8('20000101000000Z')
const NOT_AFTER = utf8('99991231235959Z')

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
  const algorithm = der(TAG.sequence, der(TAG.oid, ECDSA_WITH_SHA256))
  const emptyName = der(TAG.sequence)
  const body = der(
    TAG.sequence,
    // Version 3.
    der(contextTag(0), der(TAG.integer, Uint8Array.of(2))),
    der(TAG.integer, serialNumber()),
    algorithm,
    emptyName,
    der(TAG.sequence, der(TAG.generalizedTime, NOT_BEFORE), der(TAG.generalizedTime, NOT_AFTER)),
    emptyName,
    spki,
    der(contextTag(3), der(TAG.sequence, extension)),
  )
  const signature = new Uint8Array(sign('sha256', body, privateKey))
  const certificate = der(TAG.sequence, body, algorithm, der(TAG.bitString, Uint8Array.of(0), signature))
  return { certificate, key: privateKey }
}

/** What the node key signs: the prefix and the TLS key (libp2p specs, tls). */
export function signedBytes(spki: Uint8Array): Uint8Array {
  return concatBytes([HANDSHAKE_PREFIX, spki])
}

/** Positive and without a leading zero byte, as DER wants its integers. */
function serialNumber(): Uint8Array {
  const bytes = systemRandom.bytes(16)
  bytes[0] = ((bytes[0] as number) & 0x3f) | 0x40
  return bytes
}
