/**
 * Tokens of The Noise Protocol Framework, revision 34, section 7, and of its extension Hybrid Forward Secrecy, revision
 * 1draft: `e1` sends a key encapsulation key, `ekem1` the ciphertext of a secret for it.
 */
export type NoiseToken = 'e' | 's' | 'ee' | 'es' | 'se' | 'ss' | 'e1' | 'ekem1'

export interface NoisePattern {
  readonly name: string
  /** The initiator's message, then the responder's. */
  readonly messages: readonly [readonly NoiseToken[], readonly NoiseToken[]]
}

/** IK (section 7.5), which the published vectors are of. */
export const IK: NoisePattern = {
  name: 'Noise_IK_25519_ChaChaPoly_BLAKE2s',
  messages: [
    ['e', 'es', 's', 'ss'],
    ['e', 'ee', 'se'],
  ],
}

/** IK with the modifier `hfs`: `e1` behind the first Diffie-Hellman token of its message, `ekem1` behind `ee`. */
export const IK_HFS: NoisePattern = {
  name: 'Noise_IKhfs_25519+MLKEM768_ChaChaPoly_BLAKE2s',
  messages: [
    ['e', 'es', 'e1', 's', 'ss'],
    ['e', 'ee', 'ekem1', 'se'],
  ],
}
