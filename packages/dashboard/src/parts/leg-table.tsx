import { countryName } from '../map/countries.ts'
import { CopyId } from './copy-id.tsx'
import { FaultNote } from './fault-note.tsx'
import { formatCount, formatDuration, formatMs, formatPercent, formatRate, formatTime } from './format.ts'
import { HOP_HEALTH, type Hop, LEG_STATE, type NamedLeg, sumOfLinks } from './legs.ts'
import { NamedTable } from './named-table.tsx'
import { StateBadge } from './state-badge.tsx'

/** One leg of a route: its nodes in the order in which they pass on what this node sends. */
export function LegTable({ named: { name, leg }, isSelected }: { named: NamedLeg; isSelected: boolean }) {
  const [tone, words] = LEG_STATE[leg.state]
  return (
    <div className={isSelected ? 'leg selected' : 'leg'} data-testid="leg" data-state={leg.state}>
      {leg.fault !== undefined && <FaultNote fault={leg.fault} />}
      <NamedTable
        caption={
          <>
            <strong>{name}</strong> <StateBadge tone={tone}>{words}</StateBadge>, to the exit and back{' '}
            {formatMs(leg.rttMs)}, its links together {formatMs(sumOfLinks(leg))},{' '}
            {formatCount(leg.streams, 'connection')}, since {formatTime(leg.since)}
            {tierWords(leg)}
          </>
        }
        columns={['Role', 'Node', 'Place', 'Latency', 'Jitter', 'Loss', 'Bandwidth', 'Up for', 'Health']}
      >
        {leg.hops.map((hop) => (
          <HopRow key={hop.node} hop={hop} />
        ))}
      </NamedTable>
    </div>
  )
}

/** What all of its hops do, beside what was asked for where that is more. */
function tierWords({ tier }: NamedLeg['leg']): string {
  if (tier?.taken === undefined) return ''
  const { asked, taken } = tier
  return taken === asked ? `, tier ${taken}` : `, tier ${taken} in place of ${asked}: its hops do no more`
}

/** A narrow screen has the names of the figures from `data-name`. */
function HopRow({ hop }: { hop: Hop }) {
  const { node, role, country, region, simulated, health, reason } = hop
  const [tone, words] = HOP_HEALTH[health]
  return (
    <tr data-node={node} data-role={role} data-health={health}>
      <th scope="row">{role}</th>
      <td>
        <CopyId id={node} />
      </td>
      <td>
        <span title={countryName(country)}>{country}</span>
        {simulated && <span className="quiet"> (simulated)</span>}
        <span className="quiet">, {region}</span>
      </td>
      <Figure name="Latency">{formatMs(hop.latencyMs)}</Figure>
      <Figure name="Jitter">{formatMs(hop.jitterMs)}</Figure>
      <Figure name="Loss">{formatPercent(hop.lossPercent)}</Figure>
      <Figure name="Bandwidth">
        {hop.bandwidthBytesPerSecond === undefined ? '–' : formatRate(hop.bandwidthBytesPerSecond)}
      </Figure>
      <Figure name="Up for">{hop.upMs === undefined ? '–' : formatDuration(hop.upMs)}</Figure>
      <td className="health">
        <StateBadge tone={tone}>{words}</StateBadge>
        {reason !== '' && <span className="quiet">: {reason}</span>}
      </td>
    </tr>
  )
}

function Figure({ name, children }: { name: string; children: string }) {
  return (
    <td className="number" data-name={name}>
      {children}
    </td>
  )
}
