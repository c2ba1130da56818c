import type { NetworkChecked } from './network-checked.ts'

/** The ports that have to be open for other nodes, in words. */
export function publicPorts({ ports, roles }: Pick<NetworkChecked, 'ports' | 'roles'>): string {
  const { overlay, overlayWebSocket, packets } = ports
  // Clients whose network lets no UDP through come to an entry by TCP.
  const inTls = roles.includes('entry') ? packets : undefined
  const tcp = [overlay, overlayWebSocket, inTls].filter((port) => port !== undefined)
  return `TCP ${tcp.join(' and ')}${packets === undefined ? '' : ` and UDP ${packets}`} for other nodes`
}
