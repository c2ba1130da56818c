import { WeftError, equalBytes } from '@weft/core'
import { shortId } from '@weft/crypto'
import { leastRoundTripMs } from '../../network/regions.ts'
import type { AdmissionCase, AdmissionCheck } from '../admission-check.ts'

/** Round trips of which the shortest counts, and the bytes that each carries there and back. */
const ROUND_TRIPS = 5
const NONCE_LENGTH = 16

/**
 * The applicant is not nearer than its region can be: nothing gets there and back faster than light. It may well be farther
 * than it says, as it can always answer late. Places of a devnet are invented: nothing is measured there.
 */
export const regionCheck: AdmissionCheck = {
  name: 'region',
  async run(admission, signal) {
    const { network, application, region: own } = admission
    const { id, region } = application.body
    if (network.file.simulated !== undefined || own === undefined) return
    const least = leastRoundTripMs(own, region)
    if (least === 0) return
    const measured = await shortestRoundTrip(admission, signal)
    if (measured >= least) return
    throw new WeftError({
      code: 'E_ADMISSION_REGION',
      cause: `${shortId(id)} says that it is in ${region}, and answered this validator in ${own} within ${measured.toFixed(1)} ms; from there light needs ${least.toFixed(1)} ms.`,
      fix: 'Set node.region in weft.toml to where the node stands, or leave it out.',
      details: { region, measuredMs: measured, leastMs: least },
    })
  },
}

/** ms; over the connections of the dial-back. Infinity where none answered: whether it is reached is another check's matter. */
async function shortestRoundTrip(admission: AdmissionCase, signal: AbortSignal): Promise<number> {
  const { dialBack, application, clock, random } = admission
  let shortest = Infinity
  for (const { probe } of await dialBack.results(signal)) {
    if (probe === undefined) continue
    for (let at = 0; at < ROUND_TRIPS; at++) {
      const nonce = random.bytes(NONCE_LENGTH)
      const sent = clock.monotonic()
      const answer = await probe.rpc.call(application.body.id, 'peer.ping', { nonce }, { signal })
      // An answer that was sent before the question came does not know the nonce.
      if (equalBytes(answer.nonce, nonce)) shortest = Math.min(shortest, clock.monotonic() - sent)
    }
  }
  return shortest
}
