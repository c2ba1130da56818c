import type { DidKey } from '@weft/crypto'
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
}

export function networkOf(file: NetworkFile): Network {
  const ids = new Set(file.validators.map(({ id }) => id))
  return {
    id: networkIdOf(file),
    file,
    quorum: quorumOf(file.validators.length),
    validators: file.validators,
    isValidator: (id) => ids.has(id),
  }
}
