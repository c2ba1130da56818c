import type { ChangedVpnProfileAnswer, VpnStatusAnswer } from '@weft/node'
import { stricterLines } from './kill-switch-lines.ts'

/**
 * What a profile in use that was given a kill switch does to this machine, and the way out; none where it was given none.
 * @param status how the VPN stands; undefined where no daemon runs
 */
export function blockedLines(
  { profile, changes, checked }: Pick<ChangedVpnProfileAnswer, 'profile' | 'changes' | 'checked'>,
  status: Pick<VpnStatusAnswer, 'state' | 'tun' | 'killSwitch'> | undefined,
): string[] {
  const { killSwitch, tun } = profile.effective
  const isGiven = changes.some(({ field }) => field === 'killSwitch')
  if (checked || !profile.inUse || !isGiven || killSwitch === 'off') return []
  const wantsLan = killSwitch === 'allow-lan'
  return [
    `The kill switch is on: nothing leaves this machine but ${wantsLan ? 'to the LAN and ' : ''}through the tunnel, with a daemon or without one.`,
    ...(status?.killSwitch === undefined ? [] : stricterLines(status.killSwitch, wantsLan)),
    ...standing(tun === 'on', status),
    'To unblock: weft vpn profile use with one that does not want it, or, as root: weft vpn killswitch off',
  ]
}

function standing(isTunWanted: boolean, status: Pick<VpnStatusAnswer, 'state' | 'tun'> | undefined): string[] {
  if (status === undefined)
    return ['Warning: no daemon runs, so that nothing leaves until weft start and weft vpn up --tun.']
  if (status.tun?.state === 'open') return []
  if (status.tun !== undefined) return ['Warning: the tunnel has no exit yet, so that nothing leaves: weft vpn status']
  const proxy =
    status.state === 'connected'
      ? 'only programs that are set to the proxy get out'
      : 'no exit stands, so that nothing leaves'
  return [
    isTunWanted
      ? `Warning: the tunnel is not up yet: ${proxy} until weft vpn up.`
      : `Warning: tun of the profile is off: ${proxy}. weft vpn up --tun leads this machine through the tunnel.`,
  ]
}
