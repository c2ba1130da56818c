import type { Suite } from '../packet/suite.ts'
import { wipe } from '../sodium.ts'

/** What a hop and the client agreed on: a suite, and one key a direction. */
export interface CircuitKeys {
  readonly suite: Suite
  /** Client to hop. */
  readonly forward: Uint8Array
  /** Hop to client. */
  readonly backward: Uint8Array
}

export function wipeCircuitKeys(keys: CircuitKeys): void {
  wipe(keys.forward, keys.backward)
}
