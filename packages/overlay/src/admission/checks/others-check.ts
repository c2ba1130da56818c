import { WeftError } from '@weft/core'
import { parseRelayedAddress } from '../../network/relayed-address.ts'
import type { AdmissionCheck } from '../admission-check.ts'

/** The applicant answers others as it answers validators: members dial it as well, whom it does not know to ask for one. */
export const othersCheck: AdmissionCheck = {
  name: 'others',
  async run({ network, application: { body, nonce }, help }, signal) {
    // All members call validators, for their own admission: one that lets in few is noticed without this.
    if (network.isValidator(body.id)) return
    // The way over a relay is the relay's to give or to refuse.
    const addresses = body.addresses.filter((address) => parseRelayedAddress(address) === undefined)
    const verdicts = await Promise.all(addresses.map((address) => help.look({ body, nonce }, address, signal)))
    const at = verdicts.indexOf('not-found')
    if (at < 0) return
    throw new WeftError({
      code: 'E_ADMISSION_UNREACHABLE',
      cause: `The declared address ${addresses[at]} failed the dial-back: members other than the validators did not reach the applicant there.`,
      fix: 'Open the port for everybody outside, not for validators only, or declare the address at which the node can be reached: network.announce in weft.toml.',
      details: { address: addresses[at] },
    })
  },
}
