import { isWeftError } from '@weft/core'

/** What the command's end means to scripts (docs/specs/cli.md, Exit codes). */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notRunning: 3,
  notPermitted: 4,
  notFound: 5,
  timedOut: 6,
  killSwitch: 7,
  funds: 8,
  /** 128 + SIGINT, as shells have it. */
  interrupted: 130,
} as const

const BY_CODE: Readonly<Record<string, number>> = {
  E_USAGE: EXIT.usage,
  E_CONFIG_UNKNOWN: EXIT.usage,
  E_CONFIG_INVALID: EXIT.usage,
  E_DEVNET_SIZE: EXIT.usage,
  E_PORT_RANGE: EXIT.usage,
  E_EXIT_RULE: EXIT.usage,
  E_JOIN_TOKEN: EXIT.usage,
  E_INVITE_MALFORMED: EXIT.usage,
  E_BRIDGE_LINE: EXIT.usage,
  E_PROFILE_INVALID: EXIT.usage,
  E_SOCKET_PATH: EXIT.usage,
  E_DAEMON_NOT_RUNNING: EXIT.notRunning,
  E_DEVNET_NONE: EXIT.notRunning,
  E_DEVNET_STOPPED: EXIT.notRunning,
  E_NOT_PERMITTED: EXIT.notPermitted,
  E_BRIDGE_UNKNOWN: EXIT.notFound,
  E_PROFILE_UNKNOWN: EXIT.notFound,
  E_DEVNET_NODE_UNKNOWN: EXIT.notFound,
  E_FILE_NOT_FOUND: EXIT.notFound,
  E_NODE_NOT_FOUND: EXIT.notFound,
  E_OBJECT_UNKNOWN: EXIT.notFound,
  E_OBJECT_NAME: EXIT.usage,
  E_DEVNET_TIMEOUT: EXIT.timedOut,
  E_TIMEOUT: EXIT.timedOut,
  E_CALL_TIMEOUT: EXIT.timedOut,
  E_KILL_SWITCH: EXIT.killSwitch,
  E_KILL_SWITCH_DAMAGED: EXIT.killSwitch,
  E_KILL_SWITCH_RIGHTS: EXIT.notPermitted,
  E_FUNDS: EXIT.funds,
  E_INTERRUPTED: EXIT.interrupted,
  // Known to exist, but not to be had: that is a failure, not a wrong name.
  E_SHARDS_MISSING: EXIT.failed,
}

/** By the HTTP status of the daemon's answer (RFC 9110, section 15), where the code alone does not decide. */
const BY_STATUS: Readonly<Record<number, number>> = {
  400: EXIT.usage,
  401: EXIT.notPermitted,
  403: EXIT.notPermitted,
  404: EXIT.notFound,
  410: EXIT.notFound,
  408: EXIT.timedOut,
  504: EXIT.timedOut,
}

export function exitCodeOf(error: unknown): number {
  if (!isWeftError(error)) return EXIT.failed
  const byCode = BY_CODE[error.code]
  if (byCode !== undefined) return byCode
  const status: unknown = 'status' in error ? error.status : undefined
  return (typeof status === 'number' ? BY_STATUS[status] : undefined) ?? EXIT.failed
}
