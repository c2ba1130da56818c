import type { StatusAnswer } from '@weft/node'
import { useResource } from '../api/use-resource.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { formatBytes, formatDuration, formatTime, shortId } from '../parts/format.ts'
import { ResourceView } from '../parts/resource-view.tsx'
import { StateBadge } from '../parts/state-badge.tsx'

/** One status line with reason and fix; what this node is, what it uses and gives. */
export function Overview() {
  const resource = useResource<StatusAnswer>('/api/v1/status', ['status', 'map', 'peer', 'admission'])
  return (
    <>
      <h1>Overview</h1>
      <ResourceView resource={resource}>{(status) => <Facts status={status} />}</ResourceView>
    </>
  )
}

function Facts({ status }: { status: StatusAnswer }) {
  const { node, network, map, peers, storage, resources } = status
  return (
    <>
      <p className="status-line" data-testid="status-line">
        {status.faults.length === 0 ? (
          <StateBadge tone="good">All is well</StateBadge>
        ) : (
          <StateBadge tone="warn">
            {status.faults.length === 1 ? 'One thing needs attention' : `${status.faults.length} things need attention`}
          </StateBadge>
        )}
      </p>
      {status.faults.map((fault) => (
        <FaultNote key={`${fault.code} ${fault.cause}`} fault={fault} />
      ))}
      <dl className="facts">
        <dt>Node</dt>
        <dd>
          {node.name} <code title={node.id}>{shortId(node.id)}</code>, version {node.version}, up{' '}
          {formatDuration(node.uptimeMs)}
        </dd>
        <dt>Roles</dt>
        <dd>{node.roles.join(', ')}</dd>
        <dt>Network</dt>
        <dd>
          {network.name} <code>{network.id}</code>
          {network.simulated && ' (a network on this machine; places are simulated)'}
        </dd>
        <dt>Admission</dt>
        <dd>{status.admission.state}</dd>
        <dt>Signed map</dt>
        <dd>
          {map.epoch === undefined || map.signedAt === undefined
            ? 'none yet'
            : `epoch ${map.epoch}, signed by ${map.signatures} of ${map.validators} validators (${map.quorum} needed) at ${formatTime(map.signedAt)}`}
        </dd>
        <dt>Connected</dt>
        <dd data-testid="connected">
          {peers.connected} of {peers.total} members
        </dd>
        <dt>Holds for others</dt>
        <dd>
          {storage.shards} shards, {formatBytes(storage.bytes)} of {formatBytes(storage.quotaBytes)}
          {storage.damaged > 0 && <>, {storage.damaged} damaged</>}
        </dd>
        <dt>Memory</dt>
        <dd>{formatBytes(resources.rssBytes)}</dd>
      </dl>
    </>
  )
}
