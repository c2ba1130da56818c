import type { NetworkChecked } from './network-checked.ts'

/** The ports that have to be open for other nodes, in words. */
export function publicPorts({ overlay, overlayWebSocket, packets }: NetworkChecked['ports']): string {
  const tcp = [overlay, overlayWebSocket].filter((port) => port !== undefined)
  return `TCP ${tcp.join(' and ')}${packets === undefined ? '' : ` and UDP ${packets}`} for other nodes`
}
