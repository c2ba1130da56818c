import { WeftError, isWeftError } from '@weft/core'
import { type VpnStatusAnswer, leftTunnel } from '@weft/node'
import { homeOf } from '../daemon/home.ts'
import { openApi } from '../daemon/open-api.ts'
import { vpnLines } from '../output/vpn-lines.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  try {
    const status = await openApi(invocation).json<VpnStatusAnswer>('GET', '/api/v1/vpn', undefined, { signal })
    output.document({ ...status })
    output.print(...vpnLines(status, Date.now(), invocation.flag('long'), output))
  } catch (error) {
    throw isWeftError(error, 'E_DAEMON_NOT_RUNNING') ? await withLeftTunnel(error, homeOf(invocation)) : error
  }
}

/** A daemon that was killed keeps the machine shut. */
async function withLeftTunnel(error: WeftError, home: string): Promise<WeftError> {
  const left = await leftTunnel(home)
  if (left === 'none') return error
  return new WeftError({
    code: error.code,
    cause: `${error.cause} ${
      left === 'standing'
        ? 'Rules of its last one, which was killed, let nothing leave this machine.'
        : 'Its last one was killed while this machine went through its tunnel: rules that let nothing leave may stand (root can see them).'
    }`,
    fix: 'Start a daemon: weft start; then weft vpn up leads the machine through a route again, and weft vpn down opens it. By hand, as root: nft delete table inet weft_tun; ip rule del priority 30565; ip -6 rule del priority 30565; ip -6 rule del priority 30564 (twice).',
    origin: error,
  })
}
