import { counted } from '@weft/core'
import { shortId } from '@weft/crypto'
import type { Member, Reach } from '@weft/overlay'
import type { NetworkChecked } from './network-checked.ts'
import type { Check } from './node-checks.ts'
import { publicPorts } from './public-ports.ts'
import { refusalsOf } from './refusals-of.ts'
import { validatorWords } from './validator-words.ts'

/** How other nodes reach this one, who found that, and what to open where they do not, or only over relays. */
export function reachCheck(checked: NetworkChecked): Check {
  const { overlay, roles } = checked
  if (roles.length === 0) return { name: 'reach', tried: 'nothing: a client needs no address', fault: undefined }
  const reach = overlay.reach()
  const member = overlay.membership.member(overlay.self)
  return (
    refusedCheck(checked) ?? {
      name: 'reach',
      tried: triedWords(reach, member),
      fault: reach.state === 'unreachable' ? reach.fault : undefined,
      // It works as it is, so this is no fault of the node.
      ...(reach.state === 'relayed' ? { notice: reach.fault } : {}),
    }
  )
}

/** Whether validators look for the node where they do not find it. */
function refusedCheck({ overlay, ports, roles }: NetworkChecked): Check | undefined {
  const unreached = refusalsOf(overlay, 'E_ADMISSION_UNREACHABLE')
  if (unreached.length === 0) return undefined
  return {
    name: 'reach',
    tried: `dial-back by ${counted(unreached.length, 'validator')}, which failed`,
    fault: {
      code: 'E_ADMISSION_UNREACHABLE',
      cause: validatorWords(unreached, { code: 'E_ADMISSION_UNREACHABLE' }).trimStart(),
      fix: `Open ${publicPorts({ ports, roles })} in the firewall of this machine, and forward it to this machine at the router; or declare where this node is reached: network.announce in weft.toml.`,
    },
  }
}

function triedWords(reach: Reach, member: Member | undefined): string {
  switch (reach.state) {
    case 'asking':
      return 'other nodes are asked to dial this one back; none has answered yet'
    case 'unreachable':
      return 'dial-back by other nodes, which failed'
    case 'relayed': {
      const relays = `over ${reach.through.length === 1 ? 'the relay' : 'the relays'} ${reach.through.map((id) => `…${shortId(id)}`).join(' and ')}`
      const isCertified = member !== undefined && reach.addresses.every((address) => member.addresses.includes(address))
      return `${relays}, ${isCertified ? `dialled back by a quorum of validators in epoch ${member.certificateEpoch}` : 'where no validator has dialled this node back yet'}`
    }
    case 'client':
    case 'direct':
      return member === undefined
        ? 'no validator has dialled this node back yet'
        : `${member.addresses.join(', ')} dialled back by a quorum of validators in epoch ${member.certificateEpoch}`
  }
}
