import type { Overlay } from '@weft/overlay'
import type { OpenPrivate } from '@weft/storage'
import type { NodeVpn } from './components.ts'

/** The service of a member by which its overlay is called (docs/specs/session.md, Services of members). */
const OVERLAY = 'overlay'

/** Callers for private transfers: the overlay's, with a key of its own, over routes of the VPN that nothing else has. */
export function privateCallers(overlay: Pick<Overlay, 'anonymous'>, vpn: Pick<NodeVpn, 'serviceWays'>): OpenPrivate {
  return async (signal) => {
    const ways = vpn.serviceWays()
    try {
      // First: why there is no route is clearer than that nobody can be reached.
      await ways.ready(signal)
      const { self, records, streams, ...caller } = await overlay.anonymous((to, limited) =>
        ways.connect(to, OVERLAY, limited),
      )
      return {
        self,
        records,
        streams,
        [Symbol.asyncDispose]: async () => {
          await caller[Symbol.asyncDispose]()
          ways.close()
        },
      }
    } catch (error) {
      ways.close()
      throw error
    }
  }
}
