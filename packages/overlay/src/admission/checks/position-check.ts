import { WeftError, equalBytes } from '@weft/core'
import { shortId } from '@weft/crypto'
import type { AdmissionCheck } from '../admission-check.ts'
import { certifiedPosition } from '../certified-position.ts'
import type { CertifiedPosition } from '../position-field.ts'

/**
 * A node stands where the first beacon after its admission put it, for as long as its certificates follow on each
 * other: else it could draw again until it stands where it likes.
 */
export const positionCheck: AdmissionCheck = {
  name: 'position',
  run({ application: { body }, certificate, beaconAfter }) {
    const right = certifiedPosition(certificate?.body, beaconAfter)
    if (isSame(body.position, right)) return
    const why =
      right === undefined
        ? 'this validator knows of no position of it'
        : `by its certificate of epoch ${certificate?.body.issuedEpoch} the beacon of epoch ${right.epoch} says another`
    throw new WeftError({
      code: 'E_ADMISSION_POSITION',
      cause: `${shortId(body.id)} asks for ${body.position === undefined ? 'no position' : 'a position'}, and ${why}.`,
      fix: 'Nothing to do: the node applies again when it and the validator hold the same map.',
      retryable: true,
    })
  },
}

function isSame(a: CertifiedPosition | undefined, b: CertifiedPosition | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return a.epoch === b.epoch && equalBytes(a.value, b.value)
}
