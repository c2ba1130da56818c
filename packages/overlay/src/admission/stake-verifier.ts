import type { DidKey } from '@weft/crypto'
import type { Role } from '../member.ts'

/** Of whom a proof of stake has to be. */
export interface StakedApplicant {
  readonly networkId: string
  readonly id: DidKey
  readonly roles: readonly Role[]
}

/** How a validator judges proofs of stake; whoever has a ledger plugs it in. */
export interface StakeVerifier {
  /** @param proof at most 1008 bytes, of any content @throws WeftError with what is lacking and how the applicant mends it */
  verify(proof: Uint8Array, applicant: StakedApplicant, signal: AbortSignal): Promise<void>
}
