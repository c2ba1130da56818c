import type { MemberAnswer, MembersAnswer } from '@weft/node'
import { formatCount, formatDate, formatMs, formatTime, shortId } from './format.ts'
import { LAYERS } from './layers.ts'
import { NamedTable } from './named-table.tsx'
import { StateBadge } from './state-badge.tsx'

/** Rows that a page shows; weft members lists all. */
const MOST_ROWS = 500

/** Everyone in the signed map, from the innermost layer, and whether this node reaches them now. */
export function MemberTable({ members, epoch }: Pick<MembersAnswer, 'members' | 'epoch'>) {
  const order = (member: MemberAnswer): number => LAYERS.findIndex(({ name }) => name === member.layer)
  const rows = members.toSorted((a, b) => order(a) - order(b)).slice(0, MOST_ROWS)
  return (
    <div className="scroll members">
      <NamedTable
        caption={
          <>
            {formatCount(members.length, 'member')} in map epoch {epoch ?? '–'}
            {members.length > rows.length && `; the first ${rows.length} are shown, all by weft members`}
          </>
        }
        columns={['Node', 'State', 'Layer', 'Roles', 'Place', 'Round trip', 'Certificate']}
      >
        {rows.map((member) => (
          <Row key={member.id} member={member} />
        ))}
      </NamedTable>
    </div>
  )
}

function Row({ member }: { member: MemberAnswer }) {
  const { certificate, peer } = member
  return (
    <tr data-node={member.id} data-state={peer.state} data-layer={member.layer} data-suspect={member.suspect}>
      <th scope="row">
        <code title={member.id}>{shortId(member.id)}</code>
      </th>
      <td>
        <PeerState member={member} />
      </td>
      <td>{member.layer}</td>
      <td>{member.roles.join(', ')}</td>
      <td>
        {member.region}/{member.country}, AS{member.asn}, {member.family}
        {member.simulated && <span className="quiet"> (simulated)</span>}
      </td>
      <td className="number">{formatMs(peer.rttMs)}</td>
      <td>
        of epoch {certificate.epoch}, until {formatDate(certificate.expiresAt)}
      </td>
    </tr>
  )
}

function PeerState({ member }: { member: MemberAnswer }) {
  return (
    <>
      <LinkState member={member} />
      {member.suspect && (
        <>
          {' '}
          <StateBadge tone="warn">suspected: several observers do not reach it</StateBadge>
        </>
      )}
    </>
  )
}

function LinkState({ member: { peer, self } }: { member: MemberAnswer }) {
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
