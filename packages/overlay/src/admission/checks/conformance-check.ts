import { WeftError, isWeftError, messageOf } from '@weft/core'
import type { Probe } from '../../transport/transport.ts'
import type { AdmissionCheck } from '../admission-check.ts'
import type { ConformanceProbe, ProbedApplicant } from '../probe.ts'

/**
 * The node does what the protocol and its roles ask for, tried by a stranger. Whether an address can be reached is the
 * matter of the reachability check: what was not reached is not tried here.
 */
export const conformanceCheck: AdmissionCheck = {
  name: 'conformance',
  async run({ network, application: { body }, renewal, dialBack, probes }, signal) {
    const reached = (await dialBack.results(signal)).flatMap(({ probe }) => probe ?? [])
    const { id, roles, packets } = body
    const applicant = { networkId: network.id, id, roles, renewal, packets }
    const asked = probes.filter(
      ({ role }) => role === 'any' || (role === 'packets' ? packets !== undefined : roles.includes(role)),
    )
    for (const [at, connection] of reached.entries()) {
      for (const probe of asked) {
        if (probe.role === 'packets' && at > 0) continue
        await tryProbe(probe, connection, applicant, signal)
      }
    }
  },
}

async function tryProbe(
  probe: ConformanceProbe,
  connection: Probe,
  applicant: ProbedApplicant,
  signal: AbortSignal,
): Promise<void> {
  try {
    await probe.run(connection, applicant, signal)
  } catch (error) {
    if (probe.role === 'packets' && isWeftError(error, 'E_ADMISSION_UNREACHABLE')) throw error
    throw new WeftError({
      code: 'E_ADMISSION_CONFORMANCE',
      cause: `The node failed the probe ${probe.role}/${probe.name}: ${messageOf(error)}`,
      fix: 'Update Weft on the node; if the role cannot be served, take it out of its roles (--roles).',
      details: { role: probe.role, probe: probe.name },
      origin: error,
    })
  }
}
