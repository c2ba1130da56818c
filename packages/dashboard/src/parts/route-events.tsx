import type { VpnStatusAnswer } from '@weft/node'
import { formatTime, shortId } from './format.ts'
import { StateBadge, type Tone } from './state-badge.tsx'

type RouteEvent = VpnStatusAnswer['route']['events'][number]

export type NamedEvent = RouteEvent & {
  /** Whose routes it is about; those of the proxy where nothing stands here. */
  readonly of?: string
}

const KIND: Readonly<Record<RouteEvent['kind'], readonly [Tone, string]>> = {
  ready: ['good', 'a leg is ready'],
  moved: ['warn', 'other legs carry now'],
  lost: ['bad', 'a leg was lost'],
  back: ['good', 'as before again'],
  degraded: ['warn', 'a hop got worse'],
  blocked: ['bad', 'blocked'],
  rotated: ['idle', 'legs were replaced in time'],
  improved: ['good', 'better legs carry now'],
}

/** Events that are shown at once; the others are behind a line that opens. */
const SHOWN = 6

/** What happened to the routes, the newest first; what is new is read out when nothing else is. */
export function RouteEvents({ events }: { events: readonly NamedEvent[] }) {
  const earlier = events.slice(SHOWN)
  return (
    <section aria-labelledby="events" data-testid="events">
      <h2 id="events">Events</h2>
      <div aria-live="polite" aria-relevant="additions">
        {events.length === 0 && <p className="quiet">Nothing happened yet.</p>}
        <ol className="events">
          <Items events={events.slice(0, SHOWN)} />
        </ol>
      </div>
      {earlier.length > 0 && (
        <details>
          <summary>{earlier.length} earlier</summary>
          <ol className="events">
            <Items events={earlier} />
          </ol>
        </details>
      )}
    </section>
  )
}

function Items({ events }: { events: readonly NamedEvent[] }) {
  return keyed(events).map(({ key, event: { at, kind, code, cause, fix, node, role, of } }) => (
    <li key={key} data-kind={kind}>
      <time dateTime={new Date(at).toISOString()} className="number">
        {formatTime(at)}
      </time>{' '}
      <StateBadge tone={KIND[kind][0]}>{KIND[kind][1]}</StateBadge>
      {node !== undefined && (
        <>
          {' '}
          ({role} <code title={node}>{shortId(node)}</code>)
        </>
      )}
      {of !== undefined && <span className="quiet"> for {of}</span>}
      <p>
        <code>{code}</code> {cause} <span className="quiet">{isWell(code) ? fix : `Fix: ${fix}`}</span>
      </p>
    </li>
  ))
}

/** All other codes are of errors (docs/specs/http-api.md, VPN). */
function isWell(code: string): boolean {
  return code.startsWith('ROUTE_')
}

/** Keys that an event keeps while newer ones come: only what is new is read out. Alike ones of one moment are counted from the oldest. */
function keyed(events: readonly NamedEvent[]): readonly { readonly key: string; readonly event: NamedEvent }[] {
  const seen = new Map<string, number>()
  return events
    .toReversed()
    .map((event) => {
      const what = `${event.at} ${event.kind} ${event.node ?? ''} ${event.of ?? ''}`
      const count = (seen.get(what) ?? 0) + 1
      seen.set(what, count)
      return { key: `${what} ${count}`, event }
    })
    .toReversed()
}
