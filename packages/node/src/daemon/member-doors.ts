import { type Endpoint, formatEndpoint } from '@weft/bridge'
import type { Scope } from '@weft/core'
import {
  type Member,
  type Network,
  type NetworkFile,
  type Overlay,
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

/** Tells whether a member takes calls at an address, by the newest map and the newest term that there are when it is asked. */
export function followDoors(
  file: NetworkFile,
  overlay: Pick<Overlay, 'membership' | 'term' | 'on'>,
  scope: Scope,
): (target: Endpoint) => boolean {
  const read = (): ReadonlySet<string> =>
    memberDoors({ file, validators: overlay.term().validators }, overlay.membership.members())
  let doors = read()
  const onChange = (): void => void (doors = read())
  scope.defer('members of the bridge', overlay.membership.onChange(onChange))
  scope.defer('validators of the bridge', overlay.on('term', onChange))
  return (target) => doors.has(formatEndpoint(target))
}
