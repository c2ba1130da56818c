import { requireAttester } from '../../resources/require-attester.ts'
import type { AdmissionCheck } from '../admission-check.ts'

/** Energy that is marked attested is so by somebody whom the network file names. For whom and until when its parser has checked. */
export const attestationCheck: AdmissionCheck = {
  name: 'attestation',
  run({ network, application: { body } }) {
    if (body.resources?.energy?.evidence === 'attested') requireAttester(network, body.resources.energy)
  },
}
