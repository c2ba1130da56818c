import type { MemberAnswer, MembersAnswer } from '@weft/node'
import { useResource } from '../api/use-resource.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { formatDate, formatMs, formatTime, shortId } from '../parts/format.ts'
import { ResourceView } from '../parts/resource-view.tsx'
import { StateBadge } from '../parts/state-badge.tsx'

/** Everyone in the signed map, and whether this node reaches them now. */
export function Members() {
  const resource = useResource<MembersAnswer>('/api/v1/members', ['map', 'peer'])
  return (
    <>
      <h1>Members</h1>
      <ResourceView resource={resource}>
        {(data) => (
          <>
            {data.map.fault !== undefined && <FaultNote fault={data.map.fault} />}
            {data.members.length === 0 ? (
              <p>No member yet: the validators have not signed a first map.</p>
            ) : (
              <div className="scroll">
                <table>
                  <caption>
                    {data.members.length} members in map epoch {data.epoch ?? '–'}
                  </caption>
                  <thead>
                    <tr>
                      <th scope="col">Node</th>
                      <th scope="col">State</th>
                      <th scope="col">Roles</th>
                      <th scope="col">Place</th>
                      <th scope="col">Round trip</th>
                      <th scope="col">Certificate</th>
                    </tr>
                  </thead>
                  <tbody>
                    {data.members.map((member) => (
                      <Row key={member.id} member={member} />
                    ))}
                  </tbody>
                </table>
              </div>
            )}
          </>
        )}
      </ResourceView>
    </>
  )
}

function Row({ member }: { member: MemberAnswer }) {
  const { certificate, peer } = member
  return (
    <tr data-node={member.id} data-state={peer.state}>
      <th scope="row">
        <code title={member.id}>{shortId(member.id)}</code>
      </th>
      <td>
        <PeerState member={member} />
      </td>
      <td>{member.roles.join(', ')}</td>
      <td>
        {member.region}/{member.country}, AS{member.asn}, {member.family}
        {member.simulated && <span className="quiet"> (simulated)</span>}
      </td>
      <td className="number">{formatMs(peer.rttMs)}</td>
      <td>
        {certificate.signatures.length} signatures ({certificate.quorum} needed), until{' '}
        {formatDate(certificate.expiresAt)}
      </td>
    </tr>
  )
}

function PeerState({ member: { peer, self } }: { member: MemberAnswer }) {
  if (self) return <StateBadge tone="good">this node</StateBadge>
  if (peer.state === 'connected') return <StateBadge tone="good">connected</StateBadge>
  if (peer.state === 'connecting') return <StateBadge tone="warn">connecting</StateBadge>
  return (
    <>
      <StateBadge tone="bad">unreachable</StateBadge>
      <span className="quiet">
        {' '}
        since {formatTime(peer.since)}
        {peer.fault !== undefined && `: ${peer.fault.cause}`}
      </span>
    </>
  )
}
