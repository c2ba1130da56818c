import { type SignedEnvelope, type SigningKey, sealEnvelope, verifySignature } from '@weft/crypto'

export type StatementPurpose = 'alive' | 'suspicion'

/** Signs this node's statements and verifies those of others. A port, so that a simulation of many hours need not do the curve. */
export interface StatementSignatures {
  sign(purpose: StatementPurpose, payload: Uint8Array): SignedEnvelope
  verify(purpose: StatementPurpose, envelope: SignedEnvelope): boolean
}

/** Ed25519 with the node's key. */
export function statementSignatures(key: SigningKey): StatementSignatures {
  return {
    sign: (purpose, payload) => sealEnvelope(purpose, payload, key),
    verify: (purpose, { payload, signature, signer }) => verifySignature(purpose, payload, signature, signer),
  }
}
