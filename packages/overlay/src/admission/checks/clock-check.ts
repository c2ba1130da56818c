import { WeftError } from '@weft/core'
import type { AdmissionCheck } from '../admission-check.ts'

/** The application was made now, by the validator's clock: it is no replay, and the applicant's clock is right. */
export const applicationClockCheck: AdmissionCheck = {
  name: 'application-clock',
  run({ network, application, now }) {
    const skew = application.time - now
    if (Math.abs(skew) > network.file.clockToleranceMs)
      throw clockError('application', skew, network.file.clockToleranceMs)
  },
}

/** The clock of whoever answers at the declared addresses is right, too. */
export const answerClockCheck: AdmissionCheck = {
  name: 'answer-clock',
  async run({ network, dialBack }, signal) {
    for (const { answer, answeredAt } of await dialBack.results(signal)) {
      if (answer === undefined) continue
      const skew = answer.time - answeredAt
      if (Math.abs(skew) > network.file.clockToleranceMs) {
        throw clockError('answer to the challenge', skew, network.file.clockToleranceMs)
      }
    }
  },
}

function clockError(what: string, skewMs: number, toleranceMs: number): WeftError {
  return new WeftError({
    code: 'E_CLOCK_SKEW',
    cause: `The clock of the ${what} is ${Math.abs(skewMs)} ms ${skewMs > 0 ? 'ahead of' : 'behind'} the validator's; ${toleranceMs} ms are allowed.`,
    fix: 'Set the clock right, e.g. with `timedatectl set-ntp true`, and start the node again.',
    details: { skewMs, toleranceMs },
  })
}
