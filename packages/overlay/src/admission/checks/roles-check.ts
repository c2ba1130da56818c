import { WeftError } from '@weft/core'
import { shortId } from '@weft/crypto'
import type { AdmissionCheck } from '../admission-check.ts'

/** The policy `open` gives every role to whoever fulfils it, but only the network file seats validators. */
export const rolesCheck: AdmissionCheck = {
  name: 'roles',
  run({ network, application: { body } }) {
    if (!body.roles.includes('validator') || network.isValidator(body.id)) return
    throw new WeftError({
      code: 'E_ADMISSION_ROLES',
      cause: `${shortId(body.id)} asks for the role validator, and the network file does not name it as one.`,
      fix: 'Take `validator` out of the roles of this node (--roles).',
    })
  },
}
