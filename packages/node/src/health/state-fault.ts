import { accessSync, constants, statfsSync } from 'node:fs'
import { type Fault, messageOf } from '@weft/core'

/** Bytes of its disk that a node needs to go on: its databases and its log grow by this in some hours. */
const LEAST_FREE = 1024 * 1024

/** Why the node cannot keep its own state in its home: closed to it, or on a full disk. Undefined when it can. */
export function stateFault(home: string): Fault | undefined {
  try {
    accessSync(home, constants.W_OK)
    const { bavail, bsize } = statfsSync(home)
    const free = bavail * bsize
    if (free >= LEAST_FREE) return undefined
    return {
      code: 'E_DISK_FULL',
      cause: `The disk of the state directory ${home} has ${free} bytes left; ${LEAST_FREE} are needed.`,
      fix: 'Free space on it, or move the state directory to a larger disk (WEFT_HOME or --home).',
    }
  } catch (error) {
    return {
      code: 'E_STATE_UNWRITABLE',
      cause: `The state directory ${home} cannot be written any more: ${messageOf(error)}.`,
      fix: 'Restore the directory and its rights, then restart the daemon.',
    }
  }
}
