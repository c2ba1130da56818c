import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { COMMAND_ENVIRONMENT } from '../tun/run-command.ts'
import { KILL_SWITCH_TABLE } from './kill-switch-rules.ts'

/** Of util-linux. */
const SETPRIV = 'setpriv'

export interface KillSwitchWatcher {
  /** Something was done to the table; also by the switch itself. */
  readonly onChange: () => void
  /** Nothing more is heard. */
  readonly onEnd: () => void
}

/** @returns what ends it */
export type WatchKillSwitch = (watcher: KillSwitchWatcher) => () => void

/**
 * Hears of each change of the switch's table as the kernel makes it (nft(8), monitor), which takes CAP_NET_ADMIN: who has not is told of the end. The
 * program ends with this process, however that ends.
 */
export const watchKillSwitch: WatchKillSwitch = ({ onChange, onEnd }) => {
  const words = ['--pdeathsig', 'KILL', 'nft', 'monitor']
  const child = spawn(SETPRIV, words, { env: COMMAND_ENVIRONMENT, stdio: ['ignore', 'pipe', 'ignore'] })
  createInterface(child.stdout).on('line', (line) => {
    if (line.includes(KILL_SWITCH_TABLE)) onChange()
  })
  child.on('error', onEnd)
  child.on('exit', onEnd)
  return () => void child.kill('SIGKILL')
}
