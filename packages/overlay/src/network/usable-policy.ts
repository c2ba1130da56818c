import { WeftError } from '@weft/core'
import { waysOf } from './admission-policy.ts'
import type { NetworkFile } from './network-file.ts'

/**
 * Refuses a network that nobody could join with what there is: one that asks for stake alone, without a ledger.
 * @param ledger whether proofs of stake can be judged
 * @throws WeftError E_POLICY_UNAVAILABLE
 */
export function requireUsablePolicy({ name, policy }: Pick<NetworkFile, 'name' | 'policy'>, ledger = false): void {
  if (ledger || waysOf(policy).some((way) => way !== 'stake')) return
  throw new WeftError({
    code: 'E_POLICY_UNAVAILABLE',
    cause: `The network ${name} admits nodes by stake alone, and this version has no ledger to prove stake on.`,
    fix: 'Take the policy invite or open for a network of your own (weft network create --policy), or update Weft once a version with a ledger is out.',
  })
}
