import { canonicalHost, mappedIPv4 } from '@weft/core'

/**
 * The IP address, in its canonical spelling, behind which the other side of a connection is; undefined where a relay
 * stands in between, and for what is no such address.
 * @param address the multiaddr that a transport gives a caller
 */
export function remoteHost(address: string): string | undefined {
  if (address.includes('/p2p-circuit')) return undefined
  const host = /^\/ip[46]\/([^/]+)/.exec(address)?.[1]
  const canonical = host === undefined ? undefined : canonicalHost(host)
  return canonical === undefined ? undefined : (mappedIPv4(canonical) ?? canonical)
}
