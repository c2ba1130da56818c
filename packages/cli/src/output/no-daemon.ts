import { WeftError } from '@weft/core'

/** What a daemon that does not run left: rules of its tunnel, and how the kill switch stands. */
export interface LeftBehind {
  readonly tunnel: 'none' | 'standing' | 'unknown'
  /** unknown: this user may not see, and files of the machine say that it is on. */
  readonly killSwitch: 'on' | 'off' | 'unknown'
}

const START = 'Start a daemon: weft start'

/** That no daemon runs, with what keeps the machine shut meanwhile and how to open it. */
export function noDaemon(error: WeftError, { tunnel, killSwitch }: LeftBehind): WeftError {
  if (tunnel === 'none' && killSwitch === 'off') return error
  const causes = [
    ...(tunnel === 'none' ? [] : [TUNNEL[tunnel]]),
    ...(killSwitch === 'off' ? [] : [KILL_SWITCH[killSwitch]]),
  ]
  const ways = [
    ...(tunnel === 'none'
      ? [`${START}; then weft vpn up --tun leads the machine through a route again.`]
      : [
          `${START}; then weft vpn up leads the machine through a route again, and weft vpn down opens it. By hand, as root: nft delete table inet weft_tun; ip rule del priority 30565; ip -6 rule del priority 30565; ip -6 rule del priority 30564 (twice).`,
        ]),
    ...(killSwitch === 'off' ? [] : ['To unblock, as root: weft vpn killswitch off, which needs no daemon.']),
  ]
  return new WeftError({
    code: error.code,
    cause: [error.cause, ...causes].join(' '),
    fix: ways.join(' '),
    origin: error,
  })
}

const TUNNEL = {
  standing: 'Rules of its last one, which was killed, let nothing leave this machine.',
  unknown:
    'Its last one was killed while this machine went through its tunnel: rules that let nothing leave may stand (root can see them).',
} as const

const KILL_SWITCH = {
  on: 'The kill switch of this machine is on: nothing leaves it but through a tunnel, and without a daemon there is none.',
  unknown:
    'Files of this machine say that its kill switch is on, by which nothing leaves it without a tunnel (root can see it).',
} as const
