import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, fstatSync, openSync, rmSync, statSync } from 'node:fs'
import { WeftError } from '@weft/core'
import { COMMAND_ENVIRONMENT } from '../tun/run-command.ts'

/** s that a call waits for others; each takes a fraction of one. */
const WAIT_S = 10
/** Of util-linux. */
const FLOCK = 'flock'

/**
 * Runs a step while no other process runs one: what was ordered is read, changed and written by one at a time, so that no order of somebody else is
 * lost between. The lock (flock(2)) ends with its process. Who may not write to `path`, which root alone can, cannot hold it up.
 * @param makePlace makes the directory of `path`, which goes with a switch that is taken off, where it is missing
 * @throws WeftError E_KILL_SWITCH_BUSY; an error of the system; what `step` throws
 */
export async function withLock<T>(path: string, step: () => Promise<T>, makePlace: () => void = () => {}): Promise<T> {
  for (;;) {
    makePlace()
    const file = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
    try {
      await lock(file)
      // Who took the switch off took the file away with it: that one is nobody's lock any more.
      if (fstatSync(file).ino !== statSync(path, { throwIfNoEntry: false })?.ino) continue
      return await step()
    } finally {
      closeSync(file)
    }
  }
}

/** By its holder: who waits makes another one. */
export function removeLock(path: string): void {
  rmSync(path, { force: true })
}

/** flock(1) locks what it inherited, which stays locked when it ends. */
async function lock(file: number): Promise<void> {
  const words = ['--exclusive', '--wait', String(WAIT_S), '3']
  const child = spawn(FLOCK, words, { env: COMMAND_ENVIRONMENT, stdio: ['ignore', 'ignore', 'ignore', file] })
  const [code] = (await once(child, 'close')) as [number | null]
  if (code === 0) return
  throw new WeftError({
    code: 'E_KILL_SWITCH_BUSY',
    cause: `Other calls changed the kill switch for ${WAIT_S} s, and have not ended.`,
    fix: 'Look for a weft vpn killswitch that hangs or was stopped (ps), end it, and call again: the switch stays as it stands meanwhile.',
  })
}
