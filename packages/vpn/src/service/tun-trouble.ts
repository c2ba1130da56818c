import { type Fault, WeftError } from '@weft/core'
import { MAX_IP_PACKET_BYTES } from '@weft/onion'
import { INTERFACE } from '../tun/machine-rules-text.ts'
import { noTunPackets, superPacketsOf } from '../tun/tun-counters.ts'
import type { TunStatus } from '../vpn.ts'

/** Why a tunnel is not opened. */
export const OF_TUNNEL: ReadonlySet<string> = new Set([
  'E_TUN_ROLES',
  'E_TUN_SPLIT',
  'E_TUN_TAKEN',
  'E_TUN_UNAVAILABLE',
])

/** How the tunnel stands that is not there, and why. @param isShut whether rules let nothing leave meanwhile */
export function tunTrouble({ code, cause, fix }: Fault, isShut: boolean): TunStatus {
  const fault =
    isShut && code !== LEFT
      ? { code, cause: `${cause} ${SHUT}`, fix: `${fix} weft vpn down opens the machine.` }
      : { code, cause, fix }
  return {
    interface: INTERFACE,
    mtu: MAX_IP_PACKET_BYTES,
    state: isShut ? 'shut' : 'failed',
    exit: undefined,
    ipv6: false,
    packets: { sent: 0, received: 0 },
    bytes: { sent: 0, received: 0 },
    superPackets: superPacketsOf(noTunPackets()),
    fault,
  }
}

const LEFT = 'E_TUN_LEFT'
const SHUT = 'Rules of a daemon that was killed let nothing leave this machine.'

/** The machine went through a tunnel, which nobody has opened again. */
export function leftShut(): Fault {
  return {
    code: LEFT,
    cause: SHUT,
    fix: 'weft vpn up leads the machine through a route again; weft vpn down opens it.',
  }
}

/** Rules that were left are not taken away. */
export function cannotOpen(why: string): WeftError {
  return new WeftError({
    code: LEFT,
    cause: `${SHUT} They cannot be taken away: ${why}.`,
    fix: 'Run the daemon as root (or with CAP_NET_ADMIN), or as root: nft delete table inet weft_tun; ip rule del priority 30565; ip -6 rule del priority 30565; ip -6 rule del priority 30564 (twice).',
  })
}
