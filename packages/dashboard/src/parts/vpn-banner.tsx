import type { VpnStatusAnswer } from '@weft/node'
import { FaultNote } from './fault-note.tsx'
import { formatTime } from './format.ts'
import { KillSwitchLine } from './kill-switch-line.tsx'
import { StateBadge, type Tone } from './state-badge.tsx'

const STATE: Readonly<Record<VpnStatusAnswer['state'], readonly [Tone, string]>> = {
  off: ['idle', 'Off: the proxy does not listen'],
  connecting: ['warn', 'Connecting: no route yet'],
  connected: ['good', 'Connected'],
  blocked: ['bad', 'Blocked: no route can be built'],
}

export interface VpnBannerProps {
  readonly vpn: VpnStatusAnswer
  /** The daemon tells of changes as they come. */
  readonly isLive: boolean
  /** When `vpn` was read, ms since the epoch. */
  readonly asOf: number | undefined
}

/** How the VPN stands, in one place: its state, what is wrong and what to do, and what lets packets out. */
export function VpnBanner({ vpn, isLive, asOf }: VpnBannerProps) {
  const { state, fault, tun } = vpn
  const [tone, words] = STATE[state]
  return (
    <section className={`banner ${tone}`} aria-label="State">
      <output className="block status-line" data-testid="vpn-state" data-state={state}>
        <StateBadge tone={tone}>{words}</StateBadge>
      </output>
      {fault !== undefined && <FaultNote fault={fault} />}
      {tun?.fault !== undefined && <FaultNote fault={tun.fault} />}
      <KillSwitchLine vpn={vpn} />
      {!isLive && (
        <output className="block" data-testid="not-live">
          <StateBadge tone="warn">
            Not live: the connection to the daemon is broken, and is tried again.
            {asOf !== undefined && ` What follows is as of ${formatTime(asOf)}.`}
          </StateBadge>
        </output>
      )}
    </section>
  )
}
