import type { VpnStatusAnswer } from '@weft/node'
import { FaultNote } from './fault-note.tsx'
import { formatCount } from './format.ts'
import { StateBadge, type Tone } from './state-badge.tsx'

type KillSwitch = NonNullable<VpnStatusAnswer['killSwitch']>

const STATE: Readonly<Record<KillSwitch['state'], readonly [Tone, string]>> = {
  on: ['good', 'Kill switch on: nothing leaves but through the route'],
  off: ['idle', 'Kill switch off: what does not go through the route leaves as ever'],
  damaged: ['bad', 'Kill switch damaged: its rules are not as they should be'],
  unknown: ['warn', 'Kill switch not known: the daemon may not see the rules of the machine'],
}

/** The kill switch by the rules of the kernel; nothing where nobody looks after one. */
export function KillSwitchLine({ vpn }: { vpn: VpnStatusAnswer }) {
  const { killSwitch } = vpn
  if (killSwitch === undefined) return null
  const { state, allowLan, blocked, differences, fault, reboot } = killSwitch
  const packets = Object.values(blocked).reduce((sum, each) => sum + (each?.packets ?? 0), 0)
  const isUnprotected = state === 'on' && !reboot.isProtected
  return (
    <div data-testid="kill-switch" data-state={state}>
      <p>
        <StateBadge tone={STATE[state][0]}>{STATE[state][1]}</StateBadge>
        <span className="quiet">
          {allowLan === true && ', and to the local network'}
          {packets > 0 && `; ${formatCount(packets, 'packet')} kept back`}
          {differences.length > 0 && `: ${differences.join('; ')}`}
          {isUnprotected && `. It does not outlast a restart of the machine: ${reboot.cause} Fix: ${reboot.fix}`}
        </span>
      </p>
      {fault !== undefined && state !== 'off' && <FaultNote fault={fault} />}
    </div>
  )
}
