import { useState } from 'react'
import type { VpnStatusAnswer } from '@weft/node'
import { useResource } from '../api/use-resource.ts'
import { ResourceView } from '../parts/resource-view.tsx'
import { useRateHistory } from '../parts/use-rate-history.ts'
import { VpnSwitch } from '../parts/vpn-switch.tsx'
import { VpnView } from '../parts/vpn-view.tsx'

/** The way of this node's traffic: the nodes of each leg, how they do, and what flows. */
export function VpnRoute() {
  const [switched, setSwitched] = useState(0)
  const resource = useResource<VpnStatusAnswer>('/api/v1/vpn', ['route', 'throughput'], { revision: switched })
  const history = useRateHistory(resource)
  return (
    <>
      <h1>Route</h1>
      <ResourceView resource={resource}>
        {(vpn) => (
          <>
            <VpnSwitch on={vpn.state !== 'off'} onSwitched={() => setSwitched((count) => count + 1)} />
            <VpnView vpn={vpn} history={history} />
          </>
        )}
      </ResourceView>
    </>
  )
}
