import { WeftError } from '@weft/core'
import type { AdmissionCase, AdmissionCheck } from '../admission-check.ts'
import { answerFault } from '../answer-fault.ts'
import type { DialResult } from '../dial-back.ts'

/** At every declared address the applicant itself answers, to a stranger, with what only its key can sign. */
export const reachabilityCheck: AdmissionCheck = {
  name: 'reachability',
  async run(admission, signal) {
    for (const result of await admission.dialBack.results(signal)) {
      const why = faultOf(result, admission)
      if (why === undefined) continue
      throw new WeftError({
        code: 'E_ADMISSION_UNREACHABLE',
        cause: `The declared address ${result.address} failed the dial-back: ${why}`,
        fix: 'Open the port for the outside, or declare the address at which the node can be reached: network.announce in weft.toml.',
        details: { address: result.address },
      })
    }
  },
}

function faultOf(result: DialResult, { validator, application }: AdmissionCase): string | undefined {
  const { address, nonce, envelope, answer, fault } = result
  // What a dial met on its way, such as a closed port, is told to nobody: it would make a validator a port scanner.
  if (fault?.code === 'E_NODE_UNREACHABLE') return 'the applicant was not reached there.'
  if (fault !== undefined) return fault.cause
  if (envelope === undefined || answer === undefined) return 'the challenge was not answered.'
  return answerFault(envelope, answer, { nonce, validator, address, key: application.body.key })
}
