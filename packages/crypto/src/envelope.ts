import { WeftError } from '@weft/core'
import { type DidKey, toDidKey } from './did-key.ts'
import { type SigningKey, type SigningPurpose, verifySignature } from './signing.ts'

/** Bytes with their signer: what arrives is verified as it arrived, never re-encoded. */
export interface SignedEnvelope {
  /** The exact bytes that were signed. */
  readonly payload: Uint8Array
  /** 32 bytes, Ed25519. */
  readonly signer: Uint8Array
  /** 64 bytes. */
  readonly signature: Uint8Array
}

export interface Opened {
  readonly payload: Uint8Array
  readonly signer: DidKey
}

export function sealEnvelope(purpose: SigningPurpose, payload: Uint8Array, key: SigningKey): SignedEnvelope {
  return { payload, signer: key.publicKey, signature: key.sign(purpose, payload) }
}

/** Verifies and hands out the payload. @throws WeftError E_SIGNATURE_INVALID */
export function openEnvelope(purpose: SigningPurpose, envelope: SignedEnvelope): Opened {
  if (!verifySignature(purpose, envelope.payload, envelope.signature, envelope.signer)) {
    throw new WeftError({
      code: 'E_SIGNATURE_INVALID',
      cause: `The signature for '${purpose}' does not fit the message and its signer.`,
      fix: 'The sender has to sign the exact bytes that it sends with its own key; check that its key file is intact.',
    })
  }
  return { payload: envelope.payload, signer: toDidKey(envelope.signer) }
}
