import { useId } from 'react'
import { formatMs } from './format.ts'
import { LEG_STATE, type NamedLeg } from './legs.ts'
import { StateBadge } from './state-badge.tsx'

export interface LegPickerProps {
  readonly legs: readonly NamedLeg[]
  readonly selected: string
  readonly onSelected: (key: string) => void
}

/** Which leg stands out on the map and in the tables. */
export function LegPicker({ legs, selected, onSelected }: LegPickerProps) {
  const name = useId()
  return (
    <fieldset className="picker">
      <legend>On the map</legend>
      {legs.map(({ key, name: words, leg }) => (
        <label key={key}>
          <input type="radio" name={name} checked={key === selected} onChange={() => onSelected(key)} /> {words}:{' '}
          <StateBadge tone={LEG_STATE[leg.state][0]}>{LEG_STATE[leg.state][1]}</StateBadge>{' '}
          <span className="number quiet">{formatMs(leg.rttMs)}</span>
        </label>
      ))}
    </fieldset>
  )
}
