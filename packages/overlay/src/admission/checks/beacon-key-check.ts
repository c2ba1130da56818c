import { WeftError } from '@weft/core'
import { shortId } from '@weft/crypto'
import { verifyBeaconKey } from '../../beacon/beacon-key.ts'
import type { AdmissionCheck } from '../admission-check.ts'

/** A beacon key is a validator's, and it knows the secret half: nobody lists a key made out of another's. */
export const beaconKeyCheck: AdmissionCheck = {
  name: 'beacon-key',
  run({ network, application: { body } }) {
    const { beaconKey } = body
    if (beaconKey === undefined) return
    if (!body.roles.includes('validator')) {
      throw new WeftError({
        code: 'E_BEACON_KEY',
        cause: `${shortId(body.id)} lists a beacon key and asks for the roles ${body.roles.join(', ')}, without validator.`,
        fix: 'Update Weft on the node: only validators list a beacon key.',
      })
    }
    verifyBeaconKey(network.id, body.key, beaconKey)
  },
}
