import { WeftError } from '@weft/core'
import { shortId } from '@weft/crypto'
import { REVOCATION_REASONS } from '../../revocation/revocation-body.ts'
import { isVoid } from '../../revocation/revocation.ts'
import type { AdmissionCheck } from '../admission-check.ts'

/** A key that a quorum keeps out is not certified again before its time is over. */
export const revokedCheck: AdmissionCheck = {
  name: 'revoked',
  run({ application: { body }, revocation, now }) {
    const decided = revocation(body.id)?.body
    if (decided === undefined || (decided.blockedUntil <= now && !isVoid(body, decided))) return
    const until = new Date(decided.blockedUntil).toISOString()
    throw new WeftError({
      code: 'E_REVOKED',
      cause: `The validators have ejected ${shortId(body.id)} until ${until}: ${REVOCATION_REASONS[decided.reason]}.`,
      fix: 'Ask the operators of the validators. If the key is in other hands, make a new home (weft init) and retire this one.',
    })
  },
}
