import { X509Certificate } from 'node:crypto'
import { publicKeyFromProtobuf } from '@libp2p/crypto/keys'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { WeftError, equalBytes, messageOf } from '@weft/core'
import { TAG, contextTag, readDer, readOne } from './der.ts'
import { IDENTITY_EXTENSION, signedBytes } from './host-certificate.ts'

/** Bytes; ours have about 430. */
const MAX_CERTIFICATE = 4_096

/**
 * Who stands behind a certificate (libp2p specs, tls, section "Peer Authentication"): valid now, signed by itself,
 * and its key vouched for by the identity key that it names.
 * @throws WeftError E_CERTIFICATE_INVALID
 */
export async function verifyCertificate(raw: Uint8Array, now: number): Promise<PeerId> {
  try {
    if (raw.length > MAX_CERTIFICATE)
      throw new RangeError(`it has ${raw.length} bytes; the limit is ${MAX_CERTIFICATE}`)
    const certificate = new X509Certificate(raw)
    if (now < certificate.validFromDate.getTime() || now > certificate.validToDate.getTime())
      throw new RangeError('it is not valid at this time')
    if (!certificate.verify(certificate.publicKey)) throw new RangeError('it is not signed by itself')
    const spki = new Uint8Array(certificate.publicKey.export({ format: 'der', type: 'spki' }))
    const { publicKey, signature } = readIdentity(raw)
    const identity = publicKeyFromProtobuf(publicKey)
    if (!(await identity.verify(signedBytes(spki), signature)))
      throw new RangeError('its key is not vouched for by the node key')
    return peerIdFromPublicKey(identity)
  } catch (error) {
    throw new WeftError({
      code: 'E_CERTIFICATE_INVALID',
      cause: `The TLS certificate of the other side is not acceptable: ${messageOf(error)}.`,
      fix: 'The other side has to follow the libp2p TLS handshake; update it.',
      origin: error,
    })
  }
}

/** The one identity extension of a certificate. @throws RangeError */
function readIdentity(raw: Uint8Array): { readonly publicKey: Uint8Array; readonly signature: Uint8Array } {
  const [body] = readDer(readOne(raw, TAG.sequence))
  if (body?.tag !== TAG.sequence) throw new RangeError('it has no body')
  const extensions = readDer(body.content).find(({ tag }) => tag === contextTag(3))
  if (extensions === undefined) throw new RangeError('it has no extensions')
  const found: Uint8Array[] = []
  for (const extension of readDer(readOne(extensions.content, TAG.sequence))) {
    const fields = readDer(extension.content)
    const [oid] = fields
    const value = fields.at(-1)
    if (oid?.tag !== TAG.oid || value?.tag !== TAG.octetString) throw new RangeError('an extension is malformed')
    if (equalBytes(oid.content, IDENTITY_EXTENSION)) found.push(value.content)
    else if (fields.length === 3) throw new RangeError('it has a critical extension that is not known here')
  }
  const [identity] = found
  if (identity === undefined || found.length > 1) throw new RangeError(`it names ${found.length} identities`)
  const [publicKey, signature, ...rest] = readDer(readOne(identity, TAG.sequence))
  if (publicKey?.tag !== TAG.octetString || signature?.tag !== TAG.octetString || rest.length > 0)
    throw new RangeError('its identity is malformed')
  return { publicKey: publicKey.content, signature: signature.content }
}
