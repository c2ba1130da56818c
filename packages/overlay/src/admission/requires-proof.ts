import { waysOf } from '../network/admission-policy.ts'
import type { AdmissionCase } from './admission-check.ts'

/** Whether the policy asks something of this applicant: not where it is open, and not of the validators that the file names. */
export function requiresProof({
  network,
  application: { body },
}: Pick<AdmissionCase, 'network' | 'application'>): boolean {
  return !network.isValidator(body.id) && !waysOf(network.file.policy).includes('open')
}
