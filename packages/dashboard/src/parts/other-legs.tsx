import type { VpnStatusAnswer } from '@weft/node'
import { FaultNote } from './fault-note.tsx'
import { LegTables } from './leg-tables.tsx'
import type { NamedLeg } from './legs.ts'
import { StateBadge, type Tone } from './state-badge.tsx'

export type Other = VpnStatusAnswer['others'][number]

const OTHER_STATE: Readonly<Record<Other['state'], readonly [Tone, string]>> = {
  connecting: ['warn', 'no route yet'],
  connected: ['good', 'connected'],
  blocked: ['bad', 'no route can be built'],
}

/** Whose such routes are. */
export function routesName({ use, number }: Other): string {
  if (use === 'tunnel') return 'the whole machine'
  return use === 'credentials' ? `user and password ${number}` : `destinations, group ${number}`
}

/** What a leg of such a route is called, before its number. */
export function otherName(other: Other): string {
  return `Leg of ${routesName(other)}:`
}

/** Routes beside those of the proxy. */
export function OtherLegs({ other, legs, selected }: { other: Other; legs: readonly NamedLeg[]; selected: string }) {
  const { use, number, state, fault } = other
  const [tone, words] = OTHER_STATE[state]
  const id = `legs-${use}${number ?? ''}`
  return (
    <section aria-labelledby={id} data-testid="other-legs" data-use={use}>
      <h2 id={id}>Legs of {routesName(other)}</h2>
      <p>
        <StateBadge tone={tone}>{words}</StateBadge>
      </p>
      {fault !== undefined && <FaultNote fault={fault} />}
      <LegTables legs={legs} selected={selected} />
    </section>
  )
}
