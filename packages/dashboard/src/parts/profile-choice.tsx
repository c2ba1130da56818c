import { useId, useState } from 'react'
import type { VpnProfilesAnswer, VpnStatusAnswer } from '@weft/node'
import { usePost } from '../api/use-post.ts'
import { FaultNote } from './fault-note.tsx'
import { formatCount } from './format.ts'

type Profile = VpnProfilesAnswer['profiles'][number]

export interface ProfileChoiceProps {
  readonly profiles: readonly Profile[]
  readonly inUse: VpnStatusAnswer['profile']
  /** Called when the daemon uses another one, or could not. */
  readonly onChosen: () => void
}

/** The profile in use, and another in its place. */
export function ProfileChoice({ profiles, inUse, onChosen }: ProfileChoiceProps) {
  const id = useId()
  const { running, fault, post } = usePost(onChosen)
  const [looked, setLooked] = useState<string | undefined>(undefined)
  const shown = profiles.find(({ name }) => name === looked) ?? profiles.find(({ name }) => name === inUse.name)
  return (
    <>
      <p className="actions">
        <label htmlFor={id}>Profile</label>
        <select id={id} value={shown?.name ?? ''} onChange={(event) => setLooked(event.target.value)}>
          {profiles.map(({ name }) => (
            <option key={name} value={name}>
              {name === inUse.name ? `${name} (in use)` : name}
            </option>
          ))}
        </select>
        <button
          type="button"
          disabled={shown === undefined || shown.name === inUse.name || running !== undefined}
          onClick={() => shown !== undefined && post(`/api/v1/vpn/profiles/${encodeURIComponent(shown.name)}/use`)}
        >
          {running === undefined ? 'Use it' : 'Changing…'}
        </button>
        {shown !== undefined && <span className="quiet">{wordsOf(shown.effective)}</span>}
      </p>
      <output
        className={inUse.pending.fields.length === 0 ? 'visually-hidden' : 'quiet block'}
        data-testid="profile"
        data-profile={inUse.name}
      >
        {pendingWords(inUse)}
      </output>
      {(shown === undefined || shown.name === inUse.name ? inUse : shown).warnings.map((warning) => (
        <FaultNote key={warning.code} fault={warning} />
      ))}
      {fault !== undefined && <FaultNote fault={fault} />}
    </>
  )
}

function wordsOf({ exit, hops, tier, legs, killSwitch, tun }: Profile['effective']): string {
  return [
    `exit ${exit}`,
    formatCount(hops, 'hop'),
    `${formatCount(legs, 'leg')} in use`,
    `tier ${tier}`,
    `kill switch ${killSwitch}`,
    ...(tun === 'on' ? ['the whole machine'] : []),
  ].join(', ')
}

function pendingWords({ name, pending: { fields, takes } }: VpnStatusAnswer['profile']): string {
  if (fields.length === 0) return `In use: ${name}.`
  const what = takes === 'again' ? 'is turned off and on' : 'is put up'
  return `In use: ${name}. Not yet done of it, until the VPN ${what}: ${fields.join(', ')}.`
}
