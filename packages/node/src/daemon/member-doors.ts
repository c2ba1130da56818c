import { type Endpoint, formatEndpoint } from '@weft/bridge'
import {
  type Member,
  type Network,
  isCommonHost,
  isDialable,
  isNodePort,
  parseNodeAddress,
  parsePacketAddress,
} from '@weft/overlay'

/**
 * Every TCP address at which members take calls, as `ADDRESS:PORT`: of the overlay, and where entries take packets in TLS; with the validators
 * of the network file, by whom a client begins. Addresses that mean other machines to other nodes are left out.
 */
export function memberDoors(
  network: Pick<Network, 'file' | 'validators'>,
  members: readonly Pick<Member, 'addresses' | 'packets' | 'roles'>[],
): ReadonlySet<string> {
  const overlay = [...network.file.validators, ...network.validators, ...members].flatMap(({ addresses }) =>
    addresses
      .filter((address) => isDialable(network, address))
      .flatMap((address): Endpoint[] => {
        const parsed = parseNodeAddress(address)
        return parsed === undefined || parsed.websocket ? [] : [parsed]
      }),
  )
  const packets = members
    .filter(({ roles }) => roles.includes('entry'))
    .flatMap(({ packets: service }) => (service?.addresses ?? []).flatMap((text) => parsePacketAddress(text) ?? []))
    .filter(({ host, port }) => isNodePort(port) && isCommonHost(network, host))
  return new Set([...overlay, ...packets].map(formatEndpoint))
}
