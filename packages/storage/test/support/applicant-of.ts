import type { DidKey } from '@weft/crypto'
import type { ProbedApplicant } from '@weft/overlay'

/** An applicant for the role `storage`, as a probe sees it: a member that renews, unless it is said to be none. */
export function applicantOf(id: DidKey, renewal = true): ProbedApplicant {
  return { networkId: 'test', id, roles: ['storage'], renewal, packets: undefined }
}
