import { STREAM_PROTOCOLS } from '@weft/wire'

const WEFT = /^\/weft\/([^/]{1,128})\/([^/]+)\/[0-9]+$/

/**
 * The network that a node belongs to, by the protocols it lists; ours wins when there are several. Undefined when it
 * lists none of Weft.
 */
export function networkAmong(protocols: readonly string[], ours: string): string | undefined {
  let found: string | undefined
  for (const protocol of protocols) {
    const match = WEFT.exec(protocol)
    if (match === null || match[2] !== STREAM_PROTOCOLS.rpc.name) continue
    if (match[1] === ours) return ours
    found ??= match[1]
  }
  return found
}
