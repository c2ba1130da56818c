import { isWeftError } from '@weft/core'
import { killSwitchIsOrdered, killSwitchStatus, leftTunnel } from '@weft/node'
import { type LeftBehind, noDaemon } from '../output/no-daemon.ts'
import type { Invocation } from '../program/invocation.ts'
import { homeOf } from './home.ts'

/** What a daemon answers; where none runs, the error says what its last one left that keeps the machine shut. */
export async function orLeftBehind<T>(invocation: Invocation, answer: Promise<T>): Promise<T> {
  try {
    return await answer
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
