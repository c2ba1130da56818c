import { waysOf } from '../network/admission-policy.ts'
import type { AdmissionCase } from './admission-check.ts'

/**
 * Whether the policy asks something of this applicant: not where it is open, and not of the validators that the file names,
 * be their seats others' by now, nor of those of the term, who were admitted before.
 */
export function requiresProof({
  network,
  application: { body },
}: Pick<AdmissionCase, 'network' | 'application'>): boolean {
  const isNamed = network.isValidator(body.id) || network.file.validators.some(({ id }) => id === body.id)
  return !isNamed && !waysOf(network.file.policy).includes('open')
}
