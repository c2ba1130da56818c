import { DEFAULT_CIRCUIT_LIMITS } from '../circuit/circuit-limits.ts'
import { cellBucketMemory } from './shared-cell-bucket.ts'
import { clientKeysMemory } from './shared-client-keys.ts'
import { initiationTimesMemory } from './shared-initiation-times.ts'
import { sessionNamesMemory } from './shared-session-names.ts'

const INITIATION_TIMES = 16_384

/** What the packet workers of a node have in common; crosses to threads. 5 MB. */
export interface SharedMemory {
  /** 32 random bytes. */
  readonly secret: Uint8Array
  readonly clientKeys: SharedArrayBuffer
  readonly initiationTimes: SharedArrayBuffer
  readonly cells: SharedArrayBuffer
  /** Which worker has the session of a name. */
  readonly sessionNames: SharedArrayBuffer
}

export function newSharedMemory(secret: Uint8Array): SharedMemory {
  return {
    secret,
    clientKeys: clientKeysMemory(DEFAULT_CIRCUIT_LIMITS.seenClientKeys),
    initiationTimes: initiationTimesMemory(INITIATION_TIMES),
    cells: cellBucketMemory(),
    sessionNames: sessionNamesMemory(),
  }
}
