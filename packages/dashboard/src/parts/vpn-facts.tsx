import type { VpnStatusAnswer } from '@weft/node'
import { formatMs, shortId } from './format.ts'
import { sumOfLinks } from './legs.ts'
import { StateBadge, type Tone } from './state-badge.tsx'

type Tun = NonNullable<VpnStatusAnswer['tun']>

const OVER: Readonly<Record<VpnStatusAnswer['carriage']['over'], string>> = {
  udp: 'over UDP',
  halves: 'over UDP in halves',
  tls: 'in TLS over TCP',
}

/** Figures of the VPN that are of no single leg. */
export function VpnFacts({ vpn: { route, proxy, dns, tun, streams, carriage, carried } }: { vpn: VpnStatusAnswer }) {
  const [first] = route.legs
  return (
    <dl className="facts">
      <dt>Total latency</dt>
      <dd>
        <span data-testid="rtt">{formatMs(route.rttMs)} to the exit and back</span> as measured
        {first !== undefined && (
          <>
            ; <span data-testid="links">{formatMs(sumOfLinks(first))}</span> as the sum of the links of leg 1
          </>
        )}
      </dd>
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
  )
}

const TUNNEL: Readonly<Record<Tun['state'], readonly [Tone, (name: string) => string]>> = {
  open: ['good', (name) => `${name}: the whole machine`],
  waiting: ['warn', (name) => `${name}: no exit yet, and nothing leaves this machine`],
  failed: ['bad', () => 'None: it could not be opened, and packets go their own way'],
  shut: ['bad', () => 'None, and nothing leaves this machine'],
}

function Tunnel({ tun: { interface: name, state, exit, ipv6 } }: { tun: Tun }) {
  const [tone, words] = TUNNEL[state]
  return (
    <>
      <StateBadge tone={tone}>{words(name)}</StateBadge>
      {state === 'open' && (
        <>
          {' '}
          to <code title={exit}>{shortId(exit ?? '')}</code>, {ipv6 ? 'with IPv6' : 'without IPv6'}
        </>
      )}
    </>
  )
}
