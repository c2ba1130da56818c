import { WeftError, equalBytes } from '@weft/core'
import { verifySignature } from '@weft/crypto'
import type { AdmissionCase, AdmissionCheck } from '../admission-check.ts'
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
  const { key } = application.body
  if (!equalBytes(envelope.signer, key) || !verifySignature('challenge', envelope.payload, envelope.signature, key)) {
    return 'the answer is not signed by the key of the applicant.'
  }
  const fits = equalBytes(answer.nonce, nonce) && equalBytes(answer.validator, validator) && answer.address === address
  return fits ? undefined : 'the answer is to another challenge.'
}
