import type { VpnStatusAnswer } from '@weft/node'
import { FaultNote } from './fault-note.tsx'
import { formatMs, formatTime, shortId } from './format.ts'
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

type Tun = NonNullable<VpnStatusAnswer['tun']>
type Other = VpnStatusAnswer['others'][number]

const OTHER_STATE: Readonly<Record<Other['state'], [Tone, string]>> = {
  connecting: ['warn', 'no route yet'],
  connected: ['good', 'connected'],
  blocked: ['bad', 'no route can be built'],
}

const OVER: Readonly<Record<VpnStatusAnswer['carriage']['over'], string>> = {
  udp: 'over UDP',
  halves: 'over UDP in halves',
  tls: 'in TLS over TCP',
}

/** Failed requests that are shown; weft vpn status lists those behind them. */
const FAILURES_SHOWN = 5

/** Everything that the daemon says of its VPN. */
export function VpnView({ vpn, history }: { vpn: VpnStatusAnswer; history: readonly RateSample[] }) {
  const { state, fault, proxy, dns, streams, route, others, carriage, tun, carried, failures } = vpn
  const [tone, words] = STATE[state]
  return (
    <>
      <p className="status-line" data-testid="vpn-state" data-state={state}>
        <StateBadge tone={tone}>{words}</StateBadge>
      </p>
      {fault !== undefined && <FaultNote fault={fault} />}
      {tun?.fault !== undefined && <FaultNote fault={tun.fault} />}
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
        {tun !== undefined && (
          <>
            <dt>Tunnel</dt>
            <dd data-testid="tunnel" data-state={tun.state}>
              <Tunnel tun={tun} />
            </dd>
          </>
        )}
        <dt>Packets go</dt>
        <dd data-testid="carriage">
          {OVER[carriage.over]}
          {carriage.reason !== '' && <span className="quiet">: {carriage.reason}</span>}
        </dd>
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
      {others.map((other) => (
        <OtherLegs key={`${other.use} ${other.number ?? ''}`} other={other} />
      ))}
      <ThroughputChart now={route.throughput} history={history} />
      {failures.length > 0 && <Failures failures={failures.slice(0, FAILURES_SHOWN)} />}
    </>
  )
}

function Tunnel({ tun: { interface: name, state, exit, ipv6 } }: { tun: Tun }) {
  if (state === 'waiting')
    return <StateBadge tone="warn">{`${name}: no exit yet, and nothing leaves this machine`}</StateBadge>
  return (
    <>
      <StateBadge tone="good">{`${name}: the whole machine`}</StateBadge> to{' '}
      <code title={exit}>{shortId(exit ?? '')}</code>, {ipv6 ? 'with IPv6' : 'without IPv6'}
    </>
  )
}

/** Routes beside those of the proxy. */
function OtherLegs({ other: { use, number, state, fault, legs } }: { other: Other }) {
  const [tone, words] = OTHER_STATE[state]
  const id = `legs-${use}${number ?? ''}`
  return (
    <section aria-labelledby={id} data-testid="other-legs" data-use={use}>
      <h2 id={id}>{use === 'tunnel' ? 'Legs of the whole machine' : `Legs of user and password ${number}`}</h2>
      <p>
        <StateBadge tone={tone}>{words}</StateBadge>
      </p>
      {fault !== undefined && <FaultNote fault={fault} />}
      {legs.map((leg) => (
        <LegTable key={leg.hops.map(({ node }) => node).join()} leg={leg} />
      ))}
    </section>
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
