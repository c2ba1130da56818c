import { throwIfAborted } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { Rpc } from '../rpc.ts'
import { beaconFromWire } from './beacon-wire.ts'
import type { Beacon } from './beacon.ts'

export interface FindBeaconInit {
  readonly rpc: Pick<Rpc, 'call'>
  /** Whom to ask, one after the other. */
  readonly others: readonly DidKey[]
}

/**
 * Asks for the first beacon after an epoch, by a node past which it went. The answer is not believed, only tried: a
 * quorum of validators compares the position that comes of it with what they know.
 * @throws WeftError E_ABORTED
 */
export async function findBeacon(
  { rpc, others }: FindBeaconInit,
  epoch: number,
  signal: AbortSignal,
): Promise<Beacon | undefined> {
  for (const id of others) {
    throwIfAborted(signal)
    try {
      const beacon = beaconFromWire(await rpc.call(id, 'beacon.get', { epoch: BigInt(epoch) }, { signal }))
      if (beacon !== undefined && beacon.previous <= epoch && epoch < beacon.epoch) return beacon
    } catch {
      // Another is asked.
    }
  }
  return undefined
}
