import type { LeasesAnswer, MembersAnswer } from '@weft/node'
import { FaultNote } from './fault-note.tsx'
import { formatTime, shortId } from './format.ts'
import { LayerRings } from './layer-rings.tsx'
import { LayerTable } from './layer-table.tsx'
import { layerNodes } from './layers.ts'
import { MemberTable } from './member-table.tsx'
import { NamedTable } from './named-table.tsx'

export interface NetworkViewProps {
  readonly members: MembersAnswer
  /** Undefined until they were read. */
  readonly leases: LeasesAnswer | undefined
}

/** The layers, drawn and in numbers, then every node. */
export function NetworkView({ members, leases }: NetworkViewProps) {
  const nodes = layerNodes(members, leases)
  return (
    <>
      <section aria-labelledby="layers">
        <h2 id="layers">Layers</h2>
        <div className="layers">
          <LayerRings nodes={nodes} />
          <LayerTable nodes={nodes} />
        </div>
      </section>
      <section aria-labelledby="members">
        <h2 id="members">Members</h2>
        {members.members.length === 0 ? (
          <p>No member yet: the validators have not signed a first map.</p>
        ) : (
          <MemberTable members={members.members} epoch={members.epoch} />
        )}
      </section>
      <section aria-labelledby="leases">
        <h2 id="leases">Clients with a lease</h2>
        <Leases leases={leases} />
      </section>
    </>
  )
}

function Leases({ leases }: { leases: LeasesAnswer | undefined }) {
  if (leases === undefined) return <p className="quiet">Not read yet.</p>
  if (leases.fault !== undefined) return <FaultNote fault={leases.fault} />
  if (leases.leases.length === 0) return <p>No client lends anything.</p>
  return (
    <div className="scroll">
      <NamedTable
        data-testid="leases"
        caption={<>Clients that lend something: {leases.leases.length}. They are no members and keep no data</>}
        columns={['Node', 'Lends', 'Votes', 'Until']}
      >
        {leases.leases.map(({ id, uses, votes, expiresAt, self }) => (
          <tr key={id} data-node={id}>
            <th scope="row">
              <code title={id}>{shortId(id)}</code>
              {self && <span className="quiet"> (this node)</span>}
            </th>
            <td>{uses.join(', ')}</td>
            <td className="number">{votes.length}</td>
            <td className="number">{formatTime(expiresAt)}</td>
          </tr>
        ))}
      </NamedTable>
    </div>
  )
}
