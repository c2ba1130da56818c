import { type Fault, WeftError, isWeftError, messageOf } from '@weft/core'
import type { Reboot } from './boot-unit.ts'

/** The code of what the switch blocks. */
const BLOCKED = 'E_KILL_SWITCH'
const OFF = 'weft vpn killswitch off, as root, lets everything out again.'
/** What mends a switch that does not come back with the machine. */
export const PUT_AGAIN = 'As root: weft vpn killswitch on puts it there.'

export function unprotected(cause: string, fix: string): Reboot {
  return { isProtected: false, cause, fix }
}

const AS_ROOT =
  'Call it as root: sudo weft vpn killswitch, with the same words (and with --home, where the home is not the usual one).'

const READ_ONLY =
  'The disk is read-only: make it writable (mount). Where only units of systemd cannot be written: weft vpn killswitch on --no-boot puts the switch on until the machine is started again.'

/** What mends the lack of rights where a profile of that home wants the switch on. */
export function profileNeedsRoot(home: string): string {
  return `The profile is not in use without it. Run the daemon of this home as root; or put the switch on by hand (sudo weft vpn killswitch on --home ${home}) and use a profile that does not name it.`
}

/** The same where none wants it any more. */
export function releaseNeedsRoot(home: string): string {
  return `It stays on, though the profile in use does not want it: sudo weft vpn killswitch off --home ${home}, or run the daemon of this home as root.`
}

/** Of a call that failed, by what failed it. @param what it was to be: `put on` @param fix where the user may not do it */
export function failed(error: unknown, what: string, fix = AS_ROOT): WeftError {
  if (isWeftError(error)) return error
  const why = messageOf(error)
  if (!/EPERM|EACCES|not permitted|EROFS/i.test(why)) return unavailable(`it could not be ${what}: ${why}`)
  return new WeftError({
    code: 'E_KILL_SWITCH_RIGHTS',
    cause: `The kill switch could not be ${what} by this user: ${why}.`,
    fix: /EROFS/i.test(why) ? READ_ONLY : fix,
    origin: error,
  })
}

export function unavailable(why: string): WeftError {
  return new WeftError({
    code: 'E_KILL_SWITCH_UNAVAILABLE',
    cause: `The kill switch is not to be had on this machine: ${why}.`,
    fix: 'It needs Linux with nft (Debian: nftables), unshare, flock and setpriv (util-linux), and a kernel with nftables.',
  })
}

/** A profile of one home would take the switch from the daemon of another. */
export function taken(home: string, by: string): WeftError {
  return new WeftError({
    code: 'E_KILL_SWITCH_TAKEN',
    cause: `The kill switch of this machine is on for the daemon whose home is ${by}, and the profile is of ${home}.`,
    fix: `As root: weft vpn killswitch on --home ${home} lets that daemon out in its place. ${OFF}`,
  })
}

/** The switch is on. */
export function blocking(): Fault {
  return {
    code: BLOCKED,
    cause: 'The kill switch is on: what does not go through the tunnel does not leave this machine.',
    fix: `weft vpn up --tun leads this machine through a route, and weft vpn up opens a proxy for programs; ${OFF}`,
  }
}

/** A daemon whose own packets the switch holds back. */
export function blockingDaemon(uid: number, allowed: number): Fault {
  return {
    code: BLOCKED,
    cause: `The kill switch lets out the daemon of the user ${allowed}, and this one runs as the user ${uid}: its packets do not leave this machine.`,
    fix: `As root: weft vpn killswitch on --home with the home of this daemon lets it out. ${OFF}`,
  }
}

/** A daemon that may not see whether the switch holds its packets back. */
export function mayBeBlocking(why: string): Fault {
  return {
    code: BLOCKED,
    cause: `The kill switch of this machine is on, and may hold back the packets of this daemon, which may not read its rules and has no mark for them. ${why}`,
    fix: `Run the daemon as root (or with CAP_NET_ADMIN), or as root: weft vpn killswitch on tells the switch the addresses of nodes that this daemon knows. ${OFF}`,
  }
}

export function damaged(how: readonly string[]): Fault {
  return {
    code: 'E_KILL_SWITCH_DAMAGED',
    cause: `The kill switch is to be on, and packets may leave beside it: ${how.join('; ')}.`,
    fix: `As root: weft vpn killswitch on puts its rules again, in one step. ${OFF}`,
  }
}

export function cannotSee(why: string, isOrdered: boolean): Fault {
  const files = isOrdered ? ' Its files say that it is on.' : ''
  if (why.includes('ENOENT')) {
    const { code, cause, fix } = unavailable(`a program that it needs is not there (${why})`)
    return { code, cause: `${cause}${files}`, fix }
  }
  return {
    code: 'E_KILL_SWITCH_RIGHTS',
    cause: `How the kill switch stands cannot be seen by this user: ${why}.${files}`,
    fix: 'Look as root: sudo weft vpn killswitch status.',
  }
}
