import { WeftError } from '@weft/core'
import { parseRelayedAddress } from '../../network/relayed-address.ts'
import type { Rpc } from '../../rpc.ts'
import type { AdmissionCase, AdmissionCheck } from '../admission-check.ts'
import type { Measured } from '../measured-field.ts'
import { FIGURES, isAsGood } from '../measure/claims.ts'
import { lossFound } from '../measure/loss-found.ts'
import { Shortfall } from '../measure/shortfall.ts'

/**
 * What the applicant claims of itself holds, as far as this validator can measure it: all of it at once, so that one refusal
 * says all that it has to claim less of. What it keeps for others is not measured but by the probe of its role.
 */
export const measuredCheck: AdmissionCheck = {
  name: 'measured',
  async run(admission, signal) {
    const { body } = admission.application
    const claim = body.measured
    if (claim === undefined) return
    const found: Measured = {
      availabilityPpm: claim.availabilityPpm === undefined ? undefined : admission.gauges.availability(body.id),
      lossPpm: await lossOf(admission, signal),
      bandwidthMbps: await bandwidthOf(admission, signal),
      storageBytes: undefined,
    }
    const short = (figure: keyof Measured): number | undefined => {
      const [claimed, value] = [claim[figure], found[figure]]
      return claimed === undefined || value === undefined || isAsGood(figure, value, claimed) ? undefined : value
    }
    if (FIGURES.every((figure) => short(figure) === undefined)) return
    throw new Shortfall(claim, {
      bandwidthMbps: short('bandwidthMbps'),
      lossPpm: short('lossPpm'),
      storageBytes: short('storageBytes'),
      availabilityPpm: short('availabilityPpm'),
    })
  },
}

async function bandwidthOf(admission: AdmissionCase, signal: AbortSignal): Promise<number | undefined> {
  const { application, gauges, renewal, callerAddress: address } = admission
  const { measured, id } = application.body
  if (measured?.bandwidthMbps === undefined) return undefined
  const rpc = await pathOf(admission, signal)
  return gauges.bandwidth(rpc, id, application.nonce, measured.bandwidthMbps, { renewal, address }, signal)
}

/** As a stranger; but over its own connection to this validator where the applicant is reached over relays only: these are not for bulk. */
async function pathOf({ dialBack, rpc }: AdmissionCase, signal: AbortSignal): Promise<Pick<Rpc, 'call'>> {
  const results = await dialBack.results(signal)
  const direct = results.find(({ address, probe }) => probe !== undefined && parseRelayedAddress(address) === undefined)
  return direct?.probe?.rpc ?? rpc
}

async function lossOf({ application, gauges }: AdmissionCase, signal: AbortSignal): Promise<number | undefined> {
  const { measured, packets } = application.body
  if (measured?.lossPpm === undefined || packets === undefined) return undefined
  if (gauges.loss === undefined) {
    throw new WeftError({
      code: 'E_ADMISSION_CLAIM',
      cause: 'This validator carries no packets, and cannot measure the loss that the network asks about.',
      fix: 'Its operator has to update it.',
      retryable: true,
    })
  }
  return lossFound(await gauges.loss(packets, signal), measured.lossPpm)
}
