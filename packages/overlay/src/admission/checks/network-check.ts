import { WeftError } from '@weft/core'
import type { AdmissionCheck } from '../admission-check.ts'

/** The certificate asked for is of this network. */
export const networkCheck: AdmissionCheck = {
  name: 'network',
  run({ network, application }) {
    if (application.body.network === network.id) return
    throw new WeftError({
      code: 'E_NETWORK_MISMATCH',
      cause: `The application is for the network ${application.body.network}; this validator is of ${network.id}.`,
      fix: 'Start the node with the network file of the network that it shall join (--network FILE).',
    })
  },
}
