import { WeftError, equalBytes } from '@weft/core'
import { openEnvelope, shortId } from '@weft/crypto'
import type { AdmissionCheck } from '../admission-check.ts'

/** The application is signed by the key that it wants certified, and came over a channel of that key. */
export const signatureCheck: AdmissionCheck = {
  name: 'signature',
  run({ envelope, caller, application }) {
    const { signer } = openEnvelope('application', envelope)
    if (signer === caller && equalBytes(application.body.key, envelope.signer)) return
    throw new WeftError({
      code: 'E_ADMISSION_SIGNER',
      cause: `The application for ${shortId(application.body.id)} was signed by ${shortId(signer)} and sent by ${shortId(caller)}.`,
      fix: 'A node applies for itself, with its own key, over its own connection.',
    })
  },
}
