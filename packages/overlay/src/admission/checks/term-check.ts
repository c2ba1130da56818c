import { WeftError } from '@weft/core'
import { epochAt, epochStart } from '../../network/epoch.ts'
import type { AdmissionCheck } from '../admission-check.ts'

/** The certificate begins now and lives no longer than the network allows. */
export const termCheck: AdmissionCheck = {
  name: 'term',
  run({ network, application: { body }, now }) {
    const { clockToleranceMs, certificateTtlMs } = network.file
    const first = epochAt(network.file, now - clockToleranceMs)
    const last = epochAt(network.file, now + clockToleranceMs)
    const latest = epochStart(network.file, body.issuedEpoch) + certificateTtlMs
    if (body.issuedEpoch >= first && body.issuedEpoch <= last && body.expiresAt <= latest && body.expiresAt > now)
      return
    throw new WeftError({
      code: 'E_ADMISSION_TERM',
      cause:
        `The application asks for epoch ${body.issuedEpoch} and an end at ${body.expiresAt}; ` +
        `now are epochs ${first} to ${last}, and a certificate of that epoch ends at ${latest} at the latest.`,
      fix: 'Start the node with the network file that the validators have; update the older of the two sides.',
    })
  },
}
