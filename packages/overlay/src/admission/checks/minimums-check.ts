import { WeftError, joinFaults } from '@weft/core'
import { shortId } from '@weft/crypto'
import type { AdmissionCheck } from '../admission-check.ts'
import { lackOf } from '../measure/claims.ts'
import { roleMinimumFault } from '../measure/demotions.ts'

/** The applicant claims what the network asks of its roles. Whether that is so is measured after everything else. */
export const minimumsCheck: AdmissionCheck = {
  name: 'minimums',
  run({ network, application: { body } }) {
    const { minimums = {} } = network.file
    const { roles, measured, packets, id } = body
    const lacking = roles.flatMap((role) => {
      const figure = lackOf(role, minimums, measured)
      return figure === undefined ? [] : [roleMinimumFault(role, figure, minimums, measured)]
    })
    const fault = joinFaults(lacking)
    if (fault !== undefined) throw new WeftError(fault)
    if (measured?.lossPpm === undefined || packets !== undefined) return
    throw new WeftError({
      code: 'E_ADMISSION_CLAIM',
      cause: `${shortId(id)} claims a loss of packets and carries none.`,
      fix: 'Update Weft on the node.',
    })
  },
}
