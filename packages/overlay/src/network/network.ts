import { toHex } from '@weft/core'
import { type DidKey, fromDidKey } from '@weft/crypto'
import { waysOf } from './admission-policy.ts'
import type { GenesisValidator, NetworkFile } from './network-file.ts'
import { networkIdOf } from './network-id.ts'
import { quorumOf } from './quorum.ts'

/** A network file with what follows from it, computed once. */
export interface Network {
  readonly id: string
  readonly file: NetworkFile
  /** Signatures that make a certificate or a map. */
  readonly quorum: number
  readonly validators: readonly GenesisValidator[]
  isValidator(id: DidKey): boolean
  /** Whether its invitations count: it is named as an inviter, or nobody is and it is a validator. */
  isInviter(id: DidKey): boolean
  /** The validator with this public key; undefined when there is none. */
  validatorWith(publicKey: Uint8Array): DidKey | undefined
}

export function networkOf(file: NetworkFile): Network {
  const ids = new Set(file.validators.map(({ id }) => id))
  const inviters = new Set(waysOf(file.policy).includes('invite') ? (file.inviters ?? ids) : [])
  const byKey = new Map(file.validators.map(({ id }) => [toHex(fromDidKey(id)), id]))
  return {
    id: networkIdOf(file),
    file,
    quorum: quorumOf(file.validators.length),
    validators: file.validators,
    isValidator: (id) => ids.has(id),
    isInviter: (id) => inviters.has(id),
    validatorWith: (publicKey) => byKey.get(toHex(publicKey)),
  }
}
