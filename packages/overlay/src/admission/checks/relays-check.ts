import { WeftError } from '@weft/core'
import { shortId } from '@weft/crypto'
import { publicRolesOf } from '../../member.ts'
import { parseRelayedAddress } from '../../network/relayed-address.ts'
import type { AdmissionCase, AdmissionCheck } from '../admission-check.ts'

/**
 * Whoever is reached over relays names certified ones, and asks for no role whose users dial it: these would all hang
 * on what a relay carries.
 */
export const relaysCheck: AdmissionCheck = {
  name: 'relays',
  run(admission) {
    const fault = relaysFault(admission)
    if (fault === undefined) return
    const { id, roles } = admission.application.body
    throw new WeftError({
      code: 'E_ADMISSION_RELAYED',
      cause: `${shortId(id)} asks for the roles ${roles.join(', ')}, and ${fault.why}.`,
      fix: fault.fix,
    })
  },
}

function relaysFault({ application, isRelay }: AdmissionCase): { why: string; fix: string } | undefined {
  const { id, roles, addresses } = application.body
  const relays = addresses.map(parseRelayedAddress)
  const listed = publicRolesOf(roles)
  if (listed.length > 0 && relays.every((relay) => relay !== undefined)) {
    return {
      why: `is reached over relays only, while ${listed.join(', ')} must be reached at a public address`,
      fix: `Open the overlay port for the outside (\`weft check\` says which), or take ${listed.join(', ')} out of its roles (--roles).`,
    }
  }
  const unknown = relays.find((relay) => relay !== undefined && (relay === id || !isRelay(relay)))
  if (unknown === undefined) return undefined
  return {
    why: `names ${shortId(unknown)} as its relay, which is not certified as one`,
    fix: 'Nothing to do: the node asks another relay, and applies again by itself.',
  }
}
