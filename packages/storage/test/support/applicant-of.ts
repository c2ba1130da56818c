import type { DidKey } from '@weft/crypto'
import type { ProbedApplicant } from '@weft/overlay'

/** An applicant for the role `storage`, as a probe sees it. */
export function applicantOf(id: DidKey): ProbedApplicant {
  return { networkId: 'test', id, roles: ['storage'], packets: undefined }
}
