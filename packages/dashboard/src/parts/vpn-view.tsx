import { useState } from 'react'
import type { VpnStatusAnswer } from '@weft/node'
import { formatTime } from './format.ts'
import { LegPicker } from './leg-picker.tsx'
import { LegTables } from './leg-tables.tsx'
import { namedLegs } from './legs.ts'
import { OtherLegs, otherName, routesName } from './other-legs.tsx'
import type { RateSample } from './rate-history.ts'
import { type NamedEvent, RouteEvents } from './route-events.tsx'
import { RouteMap } from './route-map.tsx'
import { ThroughputChart } from './throughput-chart.tsx'
import { VpnFacts } from './vpn-facts.tsx'

/** Failed requests that are shown; weft vpn status lists those behind them. */
const FAILURES_SHOWN = 5

export interface VpnViewProps {
  readonly vpn: VpnStatusAnswer
  readonly history: readonly RateSample[]
}

/** Everything that the daemon says of its routes: the map, figures, each leg, what happened, what flows. */
export function VpnView({ vpn, history }: VpnViewProps) {
  const { route, others, failures } = vpn
  const [wanted, setWanted] = useState<string | undefined>(undefined)
  const own = namedLegs(route.legs)
  const beside = others.map((other) => ({ other, legs: namedLegs(other.legs, otherName(other)) }))
  const all = [...own, ...beside.flatMap(({ legs }) => legs)]
  const selected = (all.find(({ key }) => key === wanted) ?? all[0])?.key ?? ''
  const marked = all.length > 1 ? selected : ''
  return (
    <>
      <div className="atlas">
        <div>
          <RouteMap legs={all} selected={selected} />
          {all.length > 1 && <LegPicker legs={all} selected={selected} onSelected={setWanted} />}
        </div>
        <div>
          <VpnFacts vpn={vpn} />
          <ThroughputChart now={route.throughput} history={history} />
        </div>
      </div>
      {own.length > 0 && (
        <section aria-labelledby="legs">
          <h2 id="legs">Legs</h2>
          <LegTables legs={own} selected={marked} />
        </section>
      )}
      {beside.map(({ other, legs }) => (
        <OtherLegs key={otherName(other)} other={other} legs={legs} selected={marked} />
      ))}
      <RouteEvents events={eventsOf(vpn)} />
      {failures.length > 0 && <Failures failures={failures.slice(0, FAILURES_SHOWN)} />}
    </>
  )
}

/** Of all routes, the newest first. */
function eventsOf({ route, others }: VpnStatusAnswer): readonly NamedEvent[] {
  const beside = others.flatMap((other) => other.events.map((event) => ({ ...event, of: routesName(other) })))
  return [...route.events, ...beside].toSorted((one, other) => other.at - one.at)
}

function Failures({ failures }: Pick<VpnStatusAnswer, 'failures'>) {
  return (
    <section aria-labelledby="failures">
      <h2 id="failures">Requests that failed lately</h2>
      <ul className="failures">
        {failures.map(({ at, count, code, cause, fix }, index) => (
          // Two requests may fail alike within one millisecond; the list is replaced whole.
          <li key={`${at} ${index}`}>
            {formatTime(at)} <code>{code}</code> {count > 1 && `(${count} times) `}
            {cause} <span className="quiet">Fix: {fix}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}
