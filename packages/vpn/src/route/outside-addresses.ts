import type { Member } from '@weft/overlay'
import type { OutsideAddress } from '../tun/machine-rules-text.ts'

/** Where the overlay of a node may have connections to: what members listen on, and what the network file names. */
export function outsideAddresses(
  members: readonly Pick<Member, 'addresses'>[],
  bootstrap: readonly string[],
): OutsideAddress[] {
  return [...bootstrap, ...members.flatMap(({ addresses }) => addresses)].flatMap((text) => {
    const [, host, port] = /^\/ip[46]\/([0-9A-Fa-f.:]+)\/tcp\/(\d{1,5})(?:\/|$)/.exec(text) ?? []
    return host === undefined || port === undefined ? [] : [{ host, port: Number(port) }]
  })
}
