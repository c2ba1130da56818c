import type { SignedEnvelope } from '@weft/crypto'
import type { StatementPurpose, StatementSignatures } from '../../src/liveness/statement-signatures.ts'

/**
 * A signature oracle for simulations: as binding as Ed25519 towards code that only calls `sign` and `verify`, at a
 * hundredth of its cost, and counted. @param key 32 bytes that stand for the node
 */
export function simulatedSignatures(key: Uint8Array, count: { signed: number; verified: number }): StatementSignatures {
  return {
    sign(purpose, payload) {
      count.signed++
      return { payload, signer: key, signature: oracle(purpose, payload, key) }
    },
    verify(purpose, { payload, signer, signature }: SignedEnvelope) {
      count.verified++
      return Buffer.compare(signature, oracle(purpose, payload, signer)) === 0
    },
  }
}

// FNV-1a (Fowler, Noll, Vo) over what is signed, with the simulation as the only one who calls it.
function oracle(purpose: StatementPurpose, payload: Uint8Array, signer: Uint8Array): Uint8Array {
  let hash = purpose === 'alive' ? 0x811c9dc5 : 0x9dc5811c
  for (const bytes of [signer, payload]) for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  const signature = new Uint8Array(64)
  const view = new DataView(signature.buffer)
  view.setUint32(0, hash >>> 0)
  // The whole signer, so that two statements never have one signature by chance of 32 bits alone.
  signature.set(signer, 4)
  return signature
}
