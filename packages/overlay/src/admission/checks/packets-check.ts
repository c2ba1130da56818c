import { WeftError } from '@weft/core'
import { shortId } from '@weft/crypto'
import { carriesPackets } from '../../member.ts'
import { parseNodeAddress } from '../../network/node-address.ts'
import { parsePacketAddress } from '../../network/packet-address.ts'
import type { AdmissionCheck } from '../admission-check.ts'
import type { CertificateBody } from '../certificate-body.ts'

/**
 * An entry, relay or exit says where it takes packets, nobody else does, and it is where the node's other addresses
 * are: these are dialled back and kept apart by the diversity rules, and so hold for its packets as well.
 */
export const packetsCheck: AdmissionCheck = {
  name: 'packets',
  run({ application: { body } }) {
    const fault = packetsFault(body)
    if (fault === undefined) return
    throw new WeftError({
      code: 'E_ADMISSION_PACKETS',
      cause: `${shortId(body.id)} asks for the roles ${body.roles.join(', ')}, and ${fault.why}.`,
      fix: fault.fix,
    })
  },
}

function packetsFault({ roles, addresses, packets }: CertificateBody): { why: string; fix: string } | undefined {
  if (carriesPackets(roles) && packets === undefined) {
    return {
      why: 'does not say where and under which keys it takes packets',
      fix: 'Update Weft on the node, or take entry, relay and exit out of its roles (--roles).',
    }
  }
  if (packets === undefined) return undefined
  if (!carriesPackets(roles)) {
    return {
      why: 'declares an address for packets, which only an entry, relay or exit has',
      fix: 'Update Weft on the node, or add entry, relay or exit to its roles (--roles).',
    }
  }
  const hosts = new Set(addresses.map((address) => parseNodeAddress(address)?.host))
  const elsewhere = packets.addresses.find((address) => !hosts.has(parsePacketAddress(address)?.host))
  if (elsewhere === undefined) return undefined
  return {
    why: `its address for packets ${elsewhere} is at none of the hosts of its addresses ${addresses.join(', ')}`,
    fix: 'Take packets at a host that the node declares: network.announce in weft.toml.',
  }
}
