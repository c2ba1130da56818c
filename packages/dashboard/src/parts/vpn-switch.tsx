import type { VpnStatusAnswer } from '@weft/node'
import { usePost } from '../api/use-post.ts'
import { FaultNote } from './fault-note.tsx'

const UP = '/api/v1/vpn/up'
const DOWN = '/api/v1/vpn/down'

export interface VpnSwitchProps {
  readonly on: boolean
  readonly pending: VpnStatusAnswer['profile']['pending']
  /** Called when the daemon has done it, or could not. */
  readonly onSwitched: () => void
}

/** Turns the proxy and its routes on and off; a profile of which a part waits for that can be put up in full. */
export function VpnSwitch({ on, pending, onSwitched }: VpnSwitchProps) {
  const { running, fault, post } = usePost(onSwitched)
  const waits = on && pending.takes === 'up'
  return (
    <>
      <p className="actions">
        <button type="button" disabled={(on && !waits) || running !== undefined} onClick={() => post(UP)}>
          {running === UP ? 'Turning on…' : waits ? 'Put up what waits' : 'Turn on'}
        </button>
        <button type="button" disabled={!on || running !== undefined} onClick={() => post(DOWN)}>
          {running === DOWN ? 'Turning off…' : 'Turn off'}
        </button>
        <span className="quiet">Turning it off ends every connection over it.</span>
      </p>
      {fault !== undefined && <FaultNote fault={fault} />}
    </>
  )
}
