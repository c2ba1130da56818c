import { WeftError, messageOf } from '@weft/core'
import type { AdmissionCheck } from '../admission-check.ts'

/**
 * The node does what the protocol and its roles ask for, tried by a stranger. Whether an address can be reached is the
 * matter of the reachability check: what was not reached is not tried here.
 */
export const conformanceCheck: AdmissionCheck = {
  name: 'conformance',
  async run({ application: { body }, dialBack, probes }, signal) {
    const reached = (await dialBack.results(signal)).flatMap(({ probe }) => probe ?? [])
    const asked = probes.filter(({ role }) => role === 'any' || body.roles.includes(role))
    for (const connection of reached) {
      for (const probe of asked) {
        try {
          await probe.run(connection, body.id, signal)
        } catch (error) {
          throw new WeftError({
            code: 'E_ADMISSION_CONFORMANCE',
            cause: `The node failed the probe ${probe.role}/${probe.name}: ${messageOf(error)}`,
            fix: 'Update Weft on the node; if the role cannot be served, take it out of its roles (--roles).',
            details: { role: probe.role, probe: probe.name },
            origin: error,
          })
        }
      }
    }
  },
}
