import { useState } from 'react'
import type { VpnProfilesAnswer, VpnStatusAnswer } from '@weft/node'
import { useResource } from '../api/use-resource.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { ProfileChoice } from '../parts/profile-choice.tsx'
import { ResourceView } from '../parts/resource-view.tsx'
import { useLive } from '../parts/use-live.ts'
import { useRateHistory } from '../parts/use-rate-history.ts'
import { VpnBanner } from '../parts/vpn-banner.tsx'
import { VpnSwitch } from '../parts/vpn-switch.tsx'
import { VpnView } from '../parts/vpn-view.tsx'

/** The way of this node's traffic: the nodes of each leg, how they do, what happened to them, and what flows. */
export function VpnRoute() {
  const [revision, setRevision] = useState(0)
  const resource = useResource<VpnStatusAnswer>('/api/v1/vpn', ['route', 'route-event', 'throughput'], { revision })
  const profiles = useResource<VpnProfilesAnswer>('/api/v1/vpn/profiles', [], { revision })
  const history = useRateHistory(resource)
  const isLive = useLive() !== false
  const onDone = (): void => setRevision((count) => count + 1)
  return (
    <>
      <h1>Route</h1>
      <ResourceView resource={resource}>
        {(vpn) => (
          <>
            <VpnBanner vpn={vpn} isLive={isLive} asOf={resource.asOf} />
            <div className="controls">
              <VpnSwitch on={vpn.state !== 'off'} pending={vpn.profile.pending} onSwitched={onDone} />
              {profiles.fault !== undefined && resource.fault === undefined && <FaultNote fault={profiles.fault} />}
              {profiles.data !== undefined && (
                <ProfileChoice profiles={profiles.data.profiles} inUse={vpn.profile} onChosen={onDone} />
              )}
            </div>
            <VpnView vpn={vpn} history={history} />
          </>
        )}
      </ResourceView>
    </>
  )
}
