export {
  challengeDigest,
  isAuthentic,
  parseToken,
  type PrivacyToken,
  TOKEN_BYTES,
  tokenInput,
} from './blind-rsa/privacy-token.ts'
export * from './agreement-key.ts'
export type { BlindedMessage } from './blind-rsa/blind-rsa.ts'
export { TokenKey, TOKEN_MODULUS_BYTES, TokenSecret } from './blind-rsa/token-key.ts'
export * from './did-key.ts'
export * from './envelope.ts'
export * from './hash.ts'
export * from './hpke.ts'
export * from './key-file.ts'
export {
  MERKLE_LEAF_SIZE,
  merkleLeafHash,
  merkleLeaves,
  merkleProof,
  merkleRoot,
  merkleRootOfLeaves,
  verifyMerkleProof,
} from './merkle.ts'
export * from './merkle-path.ts'
export * from './merkle-subset.ts'
export * from './merkle-tree.ts'
export * from './signing.ts'
export * from './x25519.ts'
