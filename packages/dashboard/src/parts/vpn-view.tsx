import type { VpnStatusAnswer } from '@weft/node'
import { FaultNote } from './fault-note.tsx'
import { formatMs, formatTime } from './format.ts'
import { LegTable } from './leg-table.tsx'
import type { RateSample } from './rate-history.ts'
import { StateBadge, type Tone } from './state-badge.tsx'
import { ThroughputChart } from './throughput-chart.tsx'

const STATE: Readonly<Record<VpnStatusAnswer['state'], [Tone, string]>> = {
  off: ['idle', 'Off: the proxy does not listen'],
  connecting: ['warn', 'Connecting: no route yet'],
  connected: ['good', 'Connected'],
  blocked: ['bad', 'Blocked: no route can be built'],
}

/** Failed requests that are shown; weft vpn status lists those behind them. */
const FAILURES_SHOWN = 5

/** Everything that the daemon says of its VPN. */
export function VpnView({ vpn, history }: { vpn: VpnStatusAnswer; history: readonly RateSample[] }) {
  const { state, fault, proxy, dns, streams, route, carried, failures } = vpn
  const [tone, words] = STATE[state]
  return (
    <>
      <p className="status-line" data-testid="vpn-state" data-state={state}>
        <StateBadge tone={tone}>{words}</StateBadge>
      </p>
      {fault !== undefined && <FaultNote fault={fault} />}
      <dl className="facts">
        <dt>Round trip</dt>
        <dd data-testid="rtt">{formatMs(route.rttMs)} to the exit and back</dd>
        <dt>Proxy</dt>
        <dd>
          {proxy === undefined ? (
            'does not listen'
          ) : (
            <>
              SOCKS5 (with UDP) and HTTP CONNECT on{' '}
              <code>
                {proxy.host}:{proxy.port}
              </code>
            </>
          )}
        </dd>
        {dns !== undefined && (
          <>
            <dt>Names</dt>
            <dd>
              DNS on{' '}
              <code>
                {dns.host}:{dns.port}
              </code>
            </dd>
          </>
        )}
        <dt>Connections</dt>
        <dd>
          {streams.open} open, {streams.opened} opened so far, {streams.failed} failed
        </dd>
        {carried !== undefined && (
          <>
            <dt>Carries for others</dt>
            <dd>
              {carried.circuits} circuits, {carried.exitStreams} connections and {carried.exitChannels} UDP channels to
              the outside
            </dd>
          </>
        )}
      </dl>
      {route.legs.length > 0 && (
        <section aria-labelledby="legs">
          <h2 id="legs">Legs</h2>
          {route.legs.map((leg) => (
            <LegTable key={leg.hops.map(({ node }) => node).join()} leg={leg} />
          ))}
        </section>
      )}
      <ThroughputChart now={route.throughput} history={history} />
      {failures.length > 0 && <Failures failures={failures.slice(0, FAILURES_SHOWN)} />}
    </>
  )
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
