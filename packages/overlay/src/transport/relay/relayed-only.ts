import { WeftError } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import type { StreamProtocol } from '@weft/wire'
import { DIRECT_WAIT_MS } from '../limits.ts'

/** Why bulk does not reach a node. */
export function relayedOnly(id: DidKey, protocol: StreamProtocol): WeftError {
  return new WeftError({
    code: 'E_NODE_RELAYED',
    cause: `${shortId(id)} is reached over a relay only, and no direct connection came about within ${DIRECT_WAIT_MS} ms; '${protocol}' does not go over relays.`,
    fix: 'Use another node; or open the overlay port of one of the two for the outside (`weft check` there says how it is reached).',
    retryable: true,
    details: { node: id, protocol },
  })
}
