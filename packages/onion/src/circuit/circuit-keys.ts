import { wipe } from '../sodium.ts'

/** What a hop and the client agreed on: one key a direction. */
export interface CircuitKeys {
  /** Client to hop. */
  readonly forward: Uint8Array
  /** Hop to client. */
  readonly backward: Uint8Array
}

export function wipeCircuitKeys(keys: CircuitKeys): void {
  wipe(keys.forward, keys.backward)
}
