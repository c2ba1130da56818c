import type { LeasesAnswer, MembersAnswer, NetworkAnswer, StatusAnswer } from '@weft/node'
import { useResource } from '../api/use-resource.ts'
import { NetworkState } from '../parts/network-state.tsx'
import { NetworkView } from '../parts/network-view.tsx'
import { ResourceView } from '../parts/resource-view.tsx'

/** ms between two reads of all members: megabytes in a large network, in which links come and go all the time. */
const MEMBERS_REST_MS = 5_000

/** Everyone in the signed map by layer, clients with leases, how this node stands among them, and what is wrong. */
export function Network() {
  const status = useResource<StatusAnswer>('/api/v1/status', ['status', 'map', 'peer', 'admission', 'reach'])
  const network = useResource<NetworkAnswer>('/api/v1/network', ['term', 'map'])
  const members = useResource<MembersAnswer>('/api/v1/members', ['map', 'peer', 'term'], { restMs: MEMBERS_REST_MS })
  const leases = useResource<LeasesAnswer>('/api/v1/leases', ['lease', 'map'])
  return (
    <>
      <h1>Network</h1>
      <ResourceView resource={status}>
        {(data) => <NetworkState status={data} network={network.data?.network} lease={leases.data?.own} />}
      </ResourceView>
      <ResourceView resource={members}>{(data) => <NetworkView members={data} leases={leases.data} />}</ResourceView>
    </>
  )
}
