import type { OwnObjectStatusAnswer } from '@weft/node'
import { useResource } from '../api/use-resource.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { formatBytes, formatDate, shortId } from '../parts/format.ts'
import { NamedTable } from '../parts/named-table.tsx'
import { ResourceView } from '../parts/resource-view.tsx'
import { StateBadge, type Tone } from '../parts/state-badge.tsx'

const HEALTH: Readonly<Record<OwnObjectStatusAnswer['health'], [Tone, string]>> = {
  healthy: ['good', 'healthy'],
  degraded: ['warn', 'degraded: readable, but some shards are gone'],
  lost: ['bad', 'not readable now: too few shards'],
}

type ShardState = OwnObjectStatusAnswer['segments'][number]['shards'][number]['state']

const SHARD: Readonly<Record<ShardState, Tone>> = {
  stored: 'good',
  unreachable: 'bad',
  missing: 'bad',
  corrupt: 'warn',
}

/** The shards of one file: which node holds each, and whether it is there now. */
export function File({ object }: { object: string }) {
  const resource = useResource<OwnObjectStatusAnswer>(`/api/v1/objects/${encodeURIComponent(object)}/stat`, [
    'peer',
    'map',
    'transfer',
  ])
  return (
    <>
      <h1>File</h1>
      <p>
        <a href="#/files">All files</a>
      </p>
      <ResourceView resource={resource}>{(status) => <Shards status={status} />}</ResourceView>
    </>
  )
}

function Shards({ status }: { status: OwnObjectStatusAnswer }) {
  const [tone, words] = HEALTH[status.health]
  const columns = Array.from({ length: status.class.n }, (_, index) => index)
  return (
    <>
      <p className="status-line" data-testid="health" data-health={status.health}>
        <StateBadge tone={tone}>{words}</StateBadge>
      </p>
      {status.fault !== undefined && <FaultNote fault={status.fault} />}
      <p>
        {formatBytes(status.size)}, class {status.class.name}: any {status.class.k} of {status.class.n} shards restore a
        segment. Kept until {formatDate(status.expiresAt)}.
      </p>
      {status.relaxed.map((rule) => (
        <p key={rule} className="quiet">
          {rule}
        </p>
      ))}
      {status.next !== undefined && (
        <p>
          The first {status.segments.length} of {status.segmentCount} segments are shown and judged here.
        </p>
      )}
      {status.segments.length === 0 ? (
        <p>
          Small enough to be kept whole in its record
          {status.copies !== undefined && `, on at least ${status.copies} nodes`}.
        </p>
      ) : (
        <div className="scroll">
          <NamedTable
            caption="Shards by segment"
            columns={['Segment', 'Alive', ...columns.map((index) => `Shard ${index}`)]}
          >
            {status.segments.map((segment) => (
              <tr key={segment.index}>
                <th scope="row">{segment.index}</th>
                <td className="number">
                  {segment.alive} of {segment.shards.length}
                </td>
                {segment.shards.map((shard) => (
                  <td key={shard.index} data-node={shard.node} data-state={shard.state}>
                    <StateBadge tone={SHARD[shard.state]}>{shard.state}</StateBadge>
                    <br />
                    <code title={shard.node}>{shortId(shard.node)}</code>
                  </td>
                ))}
              </tr>
            ))}
          </NamedTable>
        </div>
      )}
    </>
  )
}
