import type { VpnStatusAnswer } from '@weft/node'
import { FaultNote } from './fault-note.tsx'
import { formatMs, formatTime, shortId } from './format.ts'
import { StateBadge, type Tone } from './state-badge.tsx'

export type Leg = VpnStatusAnswer['route']['legs'][number]
type Hop = Leg['hops'][number]

const LEG: Readonly<Record<Leg['state'], [Tone, string]>> = {
  active: ['good', 'in use'],
  spare: ['idle', 'spare'],
  silent: ['bad', 'silent'],
  building: ['warn', 'being built'],
  failed: ['bad', 'failed'],
}

const HEALTH: Readonly<Record<Hop['health'], [Tone, string]>> = {
  green: ['good', 'as usual'],
  yellow: ['warn', 'silent for a while, it or another hop'],
  red: ['bad', 'nothing comes through'],
  unknown: ['idle', 'not known yet'],
}

/** One leg of the route: its nodes in the order in which they pass on what this node sends. */
export function LegTable({ leg }: { leg: Leg }) {
  const [tone, words] = LEG[leg.state]
  return (
    <div className="leg" data-testid="leg" data-state={leg.state}>
      {leg.fault !== undefined && <FaultNote fault={leg.fault} />}
      <div className="scroll">
        <table>
          <caption>
            <StateBadge tone={tone}>{words}</StateBadge>, to the exit and back {formatMs(leg.rttMs)},{' '}
            {leg.streams === 1 ? '1 connection' : `${leg.streams} connections`}, since {formatTime(leg.since)}
          </caption>
          <thead>
            <tr>
              <th scope="col">Role</th>
              <th scope="col">Node</th>
              <th scope="col">Country</th>
              <th scope="col">Latency</th>
              <th scope="col">Health</th>
            </tr>
          </thead>
          <tbody>
            {leg.hops.map((hop) => (
              <HopRow key={hop.node} hop={hop} />
            ))}
          </tbody>
        </table>
      </div>
    </div>
  )
}

function HopRow({ hop }: { hop: Hop }) {
  const [tone, words] = HEALTH[hop.health]
  return (
    <tr data-node={hop.node} data-role={hop.role} data-health={hop.health}>
      <th scope="row">{hop.role}</th>
      <td>
        <code title={hop.node}>{shortId(hop.node)}</code>
      </td>
      <td>
        {hop.country}
        {hop.simulated && <span className="quiet"> (simulated)</span>}
      </td>
      <td className="number">{formatMs(hop.latencyMs)}</td>
      <td>
        <StateBadge tone={tone}>{words}</StateBadge>
        {hop.reason !== '' && <span className="quiet">: {hop.reason}</span>}
      </td>
    </tr>
  )
}
