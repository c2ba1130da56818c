import type { Clock } from '@weft/core'
import type { Overlay } from '@weft/overlay'
import type { Join } from './join.ts'

const RETRY_MS = 100

/** Asks a node that was just started for its first lookup, again and again, and waits until it is in the map. */
export async function measureJoin(
  overlay: Overlay,
  clock: Clock,
  target: Uint8Array,
  since: () => number,
): Promise<Join> {
  const certified = Promise.withResolvers<number>()
  const inMap = Promise.withResolvers<number>()
  overlay.on('admission', (admission) => {
    if (admission.state !== 'certified') return
    certified.resolve(since())
    if (admission.inMap) inMap.resolve(since())
  })
  const [lookup, certificate, map] = await Promise.all([firstLookup(), certified.promise, inMap.promise])
  return { lookup, certificate, map }

  async function firstLookup(): Promise<number> {
    for (;;) {
      try {
        await overlay.lookup(target)
        return since()
      } catch {
        await new Promise<void>((resolve) => clock.after(RETRY_MS, () => resolve()))
      }
    }
  }
}
