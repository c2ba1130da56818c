import type { DidKey } from '@weft/crypto'
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
}

export function networkOf(file: NetworkFile): Network {
  const ids = new Set(file.validators.map(({ id }) => id))
  const inviters = new Set(waysOf(file.policy).includes('invite') ? (file.inviters ?? ids) : [])
  return {
    id: networkIdOf(file),
    file,
    quorum: quorumOf(file.validators.length),
    validators: file.validators,
    isValidator: (id) => ids.has(id),
    isInviter: (id) => inviters.has(id),
  }
}
