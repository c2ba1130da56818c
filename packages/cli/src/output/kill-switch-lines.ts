import { counted } from '@weft/core'
import type { VpnStatusAnswer } from '@weft/node'
import { formatBytes, formatTime } from './format.ts'
import type { Output } from './output.ts'

type KillSwitch = Omit<NonNullable<VpnStatusAnswer['killSwitch']>, 'fault'>

const ORDERED_BY = { person: 'weft vpn killswitch on', profile: 'the profile in use' } as const

const REASONS = {
  dns: 'names (DNS)',
  lan: 'to the LAN',
  ipv6: 'IPv6',
  forwarded: 'of other machines and containers',
  other: 'others',
} as const

/** How the kill switch stands, in one line. */
export function killSwitchLine({ state, allowLan, blocked, reboot, restored }: KillSwitch, output: Output): string {
  const packets = Object.values(blocked).reduce((sum, each) => sum + each.packets, 0)
  const words = {
    on: output.styled(
      'green',
      `on: nothing leaves but ${allowLan === true ? 'to the LAN and ' : ''}through the tunnel`,
    ),
    off: 'off',
    damaged: output.styled('red', 'damaged: packets may leave beside it'),
    unknown: output.styled('yellow', 'not seen by this user'),
  }[state]
  const more =
    state === 'on' ? `; ${counted(packets, 'packet')} blocked${reboot.isProtected ? '' : '; gone with a reboot'}` : ''
  const again = restored === undefined ? '' : `; rules put again ${counted(restored.times, 'time')}`
  return `  kill switch ${words}${more}${again}`
}

/** Whose order keeps the LAN shut for who wants it open; none where it is open. @param wantsLan whether the one that was told last does */
export function stricterLines({ state, allowLan, orderedBy }: KillSwitch, wantsLan: boolean): string[] {
  if (!wantsLan || allowLan !== false || (state !== 'on' && state !== 'damaged')) return []
  const others = orderedBy.length > 1
  return [
    others
      ? 'The LAN stays shut: it is open where weft vpn killswitch on and the profile in use both want that. For the one: sudo weft vpn killswitch on --allow-lan; for the other: weft vpn profile set NAME --kill-switch allow-lan.'
      : `The LAN stays shut: ${ORDERED_BY[orderedBy[0] ?? 'person']} does not let it out.`,
  ]
}

/** The same with all that is known of it. */
export function killSwitchLines(status: KillSwitch, output: Output): string[] {
  const { state, since, allowLan, uid, orderedBy, nodes, blocked, differences, restored, reboot } = status
  if (state === 'off' || state === 'unknown') return [killSwitchLine(status, output).trim()]
  const counts = Object.entries(blocked)
    .filter(([, { packets }]) => packets > 0)
    .map(([reason, { packets, bytes }]) => {
      const of = REASONS[reason as keyof typeof REASONS]
      return `    ${counted(packets, 'packet')} ${of}, ${formatBytes(bytes)}`
    })
  return [
    killSwitchLine(status, output).trim(),
    ...(since === undefined ? [] : [`  since       ${formatTime(since)}`]),
    ...(orderedBy.length === 0 ? [] : [`  put on by   ${orderedBy.map((by) => ORDERED_BY[by]).join(', ')}`]),
    ...(uid === undefined
      ? []
      : [
          `  lets out    the tunnel, the daemon of the user ${uid} (to ${counted(nodes, 'address', 'addresses')} of nodes without its mark)${allowLan === true ? ', the LAN without names' : ''}, DHCP and neighbour discovery`,
        ]),
    `  blocked     ${counts.length === 0 ? 'nothing yet' : ''}`.trimEnd(),
    ...counts,
    ...(restored === undefined
      ? []
      : [
          `  put again   ${counted(restored.times, 'time')}, last ${formatTime(restored.at)}: ${restored.differences.join('; ')}`,
        ]),
    ...differences.map((difference) => `  ${output.styled('red', 'differs')}     ${difference}`),
    reboot.isProtected
      ? '  reboot      protected: its rules are loaded before the network is set up'
      : `  reboot      ${output.styled('yellow', 'not protected')}: ${reboot.cause}`,
    ...(reboot.isProtected ? [] : [`    Fix: ${reboot.fix}`]),
    '  unblock     weft vpn killswitch off, as root',
  ]
}
