import { STREAM_PROTOCOLS } from '@weft/wire'
import { NETWORK_ID } from '../network/network-id.ts'

const WEFT = /^\/weft\/([^/]{1,128})\/([^/]+)\/[0-9]+$/

/**
 * The network that a node belongs to, by the protocols it lists; ours wins when there are several. Undefined when it
 * lists none of Weft; null for one whose name is no network id: a stranger chose it, and people would read it in a terminal.
 */
export function networkAmong(protocols: readonly string[], ours: string): string | null | undefined {
  let found: string | null | undefined
  for (const protocol of protocols) {
    const match = WEFT.exec(protocol)
    if (match === null || match[2] !== STREAM_PROTOCOLS.rpc.name) continue
    const name = match[1] ?? ''
    if (name === ours) return ours
    found ??= NETWORK_ID.test(name) ? name : null
  }
  return found
}
