import { isIPv6 } from 'node:net'
import { type NetworkFile, parseNodeAddress } from '@weft/overlay'
import type { Config } from '../config/load-config.ts'

/** Where others reach this node, as its operator or the network file says it; none where others have to say it. */
export function declaredHosts(
  { values }: Pick<Config, 'values'>,
  { validators }: Pick<NetworkFile, 'validators'>,
  id: string,
): readonly string[] {
  const announced = values['network.announce']
  const addresses = announced.length > 0 ? announced : (validators.find((each) => each.id === id)?.addresses ?? [])
  return addresses.flatMap((address) => parseNodeAddress(address)?.host ?? [])
}

/**
 * Where this node listens for others: network.listen_host; where nobody set that and others reach it by IPv6, all addresses of both versions.
 * @param hosts as of `declaredHosts`
 */
export function listenHost({ values, sources }: Pick<Config, 'values' | 'sources'>, hosts: readonly string[]): string {
  return sources['network.listen_host'] === 'default' && hosts.some((host) => isIPv6(host))
    ? '::'
    : values['network.listen_host']
}
