import type { BridgeDialer } from '@weft/bridge'
import type { Check } from './node-checks.ts'

/** Whether a bridge works, at a client that calls by bridges only. */
export function bridgeChecks(dialer: Pick<BridgeDialer, 'status' | 'fault'> | undefined): readonly Check[] {
  if (dialer === undefined) return []
  const used = dialer.status().find(({ state }) => state === 'used')
  const tried =
    used === undefined
      ? 'no bridge is in use'
      : `the bridge ${used.name} leads the calls of this node, which calls nobody else`
  return [{ name: 'bridge', tried, fault: dialer.fault }]
}
