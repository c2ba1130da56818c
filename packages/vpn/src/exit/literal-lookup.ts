import type { LookupOneOptions } from 'node:dns'
import { isIP } from 'node:net'

/** For sockets that only ever get address literals: nothing is looked up, and nothing waits for a turn of the event loop. */
export function literalLookup(
  address: string,
  _: LookupOneOptions,
  callback: (error: null, address: string, family: number) => void,
): void {
  callback(null, address, isIP(address))
}
