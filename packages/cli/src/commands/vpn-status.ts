import { isWeftError } from '@weft/core'
import { type VpnStatusAnswer, killSwitchIsOrdered, killSwitchStatus, leftTunnel } from '@weft/node'
import { homeOf } from '../daemon/home.ts'
import { openApi } from '../daemon/open-api.ts'
import { type LeftBehind, noDaemon } from '../output/no-daemon.ts'
import { vpnLines } from '../output/vpn-lines.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  try {
    const status = await openApi(invocation).json<VpnStatusAnswer>('GET', '/api/v1/vpn', undefined, { signal })
    output.document({ ...status })
    output.print(...vpnLines(status, Date.now(), invocation.flag('long'), output))
  } catch (error) {
    throw isWeftError(error, 'E_DAEMON_NOT_RUNNING') ? noDaemon(error, await leftBehind(homeOf(invocation))) : error
  }
}

/** A daemon that was killed keeps the machine shut, and a kill switch does without one. */
async function leftBehind(home: string): Promise<LeftBehind> {
  const [tunnel, { state }] = await Promise.all([leftTunnel(home), killSwitchStatus()])
  if (state === 'on' || state === 'damaged') return { tunnel, killSwitch: 'on' }
  return { tunnel, killSwitch: state === 'unknown' && (await killSwitchIsOrdered()) ? 'unknown' : 'off' }
}
