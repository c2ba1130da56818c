import type { Clock } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { Host } from '../host.ts'
import { CALL_TIMEOUT_MS } from '../limits.ts'
import { didOfPeer } from '../peer-id.ts'

/**
 * When a direct connection to a node comes, new calls to it go there, and the relayed ones that it replaces are closed
 * after the calls that are under way on them had their time.
 */
export function retireRelayed(host: Host, rpc: { renew(id: DidKey): void }, clock: Clock): void {
  host.addEventListener('connection:open', ({ detail: { remotePeer, limits } }) => {
    if (limits !== undefined) return
    const relayed = host.getConnections(remotePeer).filter((each) => each.limits !== undefined)
    if (relayed.length === 0) return
    rpc.renew(didOfPeer(remotePeer))
    clock.after(CALL_TIMEOUT_MS, () => {
      for (const connection of relayed) connection.close().catch((error: Error) => connection.abort(error))
    })
  })
}
