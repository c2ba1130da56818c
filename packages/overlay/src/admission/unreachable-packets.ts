import { WeftError } from '@weft/core'
import { parsePacketAddress } from '../network/packet-address.ts'

/**
 * What a probe of role `packets` throws when nothing, or not the holder of the link key, answers at one of the packet
 * addresses. Which of both it was is told to nobody: it would make a validator a port scanner.
 * @param protocol TCP where an entry did not take packets in TLS
 */
export function unreachablePackets(address: string, protocol: 'UDP' | 'TCP' = 'UDP'): WeftError {
  const { host, port } = parsePacketAddress(address) ?? {}
  return new WeftError({
    code: 'E_ADMISSION_UNREACHABLE',
    cause: `The declared address for packets ${address} failed the probe: the applicant did not answer on ${protocol} port ${port} of ${host}.`,
    fix: `Open ${protocol} port ${port} (ports.packets${protocol === 'TCP' ? ', for packets in TLS' : ''}) for the outside, or take entry, relay and exit out of the roles of the node (--roles).`,
    details: { address },
  })
}
