import { LegTable } from './leg-table.tsx'
import type { Leg, NamedLeg } from './legs.ts'

/**
 * Legs that carry, are not well or stand out; those that only stand ready are behind a line.
 * @param selected key of the leg that stands out; of none where there is nothing to choose
 */
export function LegTables({ legs, selected }: { legs: readonly NamedLeg[]; selected: string }) {
  const shown = legs.filter(({ key, leg }) => key === selected || !isReady(leg))
  const ready = legs.filter((named) => !shown.includes(named))
  return (
    <>
      {shown.map((named) => (
        <LegTable key={named.key} named={named} isSelected={named.key === selected} />
      ))}
      {ready.length > 0 && (
        <details>
          <summary>{ready.length === 1 ? '1 leg stands ready' : `${ready.length} legs stand ready`}</summary>
          {ready.map((named) => (
            <LegTable key={named.key} named={named} isSelected={false} />
          ))}
        </details>
      )}
    </>
  )
}

function isReady({ state, hops }: Leg): boolean {
  return state === 'spare' && !hops.some(({ health }) => health === 'yellow' || health === 'red')
}
