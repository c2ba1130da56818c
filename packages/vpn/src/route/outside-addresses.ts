import { type Member, parsePacketAddress } from '@weft/overlay'
import type { OutsideAddress } from '../tun/machine-rules-text.ts'

/**
 * Where a node may have connections to by TCP: what members listen on and what the network file names, for its overlay; and where entries
 * take packets in TLS.
 */
export function outsideAddresses(
  members: readonly Pick<Member, 'addresses' | 'packets' | 'roles'>[],
  bootstrap: readonly string[],
): OutsideAddress[] {
  const overlay = [...bootstrap, ...members.flatMap(({ addresses }) => addresses)].flatMap((text) => {
    const [, host, port] = /^\/ip[46]\/([0-9A-Fa-f.:]+)\/tcp\/(\d{1,5})(?:\/|$)/.exec(text) ?? []
    return host === undefined || port === undefined ? [] : [{ host, port: Number(port) }]
  })
  const entries = members
    .filter(({ roles }) => roles.includes('entry'))
    .flatMap(({ packets }) => (packets?.addresses ?? []).flatMap((text) => parsePacketAddress(text) ?? []))
  return [...overlay, ...entries]
}
