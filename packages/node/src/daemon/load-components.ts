import type { Components } from './components.ts'
import { profileKillSwitch } from './kill-switch.ts'

/** The real ones, loaded when the configuration and the home are known to be good: they are most of a start's time. */
export async function loadComponents(): Promise<Components> {
  const [{ createOverlay }, { LeftShards, createStorage, storageProbe }, { createVpn }] = await Promise.all([
    import('@weft/overlay'),
    import('@weft/storage'),
    import('@weft/vpn'),
  ])
  const probes: Components['probes'] = ({ directory, clock, random, logger, scope }) => {
    const left = scope.use('left shards', new LeftShards(directory, logger))
    return [storageProbe({ left, clock, random })]
  }
  return { createOverlay, createStorage, createVpn, profileKillSwitch, probes }
}
