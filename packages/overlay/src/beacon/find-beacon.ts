import { throwIfAborted } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { Rpc } from '../rpc.ts'
import { beaconFromWire } from './beacon-wire.ts'
import type { Beacon } from './beacon.ts'

export interface FindBeaconInit {
  readonly rpc: Pick<Rpc, 'call'>
  /** Whom to ask, all at once. */
  readonly others: readonly DidKey[]
  /** How many have to say the same: one more than may lie. */
  readonly someHonest: number
}

/**
 * Asks validators for the first beacon after an epoch, for a node past which it went. One that fewer say than have an
 * honest one among them is none: a position by it would be refused, again and again.
 * @throws WeftError E_ABORTED
 */
export async function findBeacon(
  { rpc, others, someHonest }: FindBeaconInit,
  epoch: number,
  signal: AbortSignal,
): Promise<Beacon | undefined> {
  const said = new Map<string, number>()
  const { promise, resolve } = Promise.withResolvers<Beacon>()
  const ask = async (id: DidKey): Promise<void> => {
    try {
      const beacon = beaconFromWire(await rpc.call(id, 'beacon.get', { epoch: BigInt(epoch) }, { signal }))
      if (beacon === undefined || beacon.previous > epoch || epoch >= beacon.epoch) return
      const name = `${beacon.epoch} ${beacon.previous} ${beacon.value.toHex()}`
      const count = (said.get(name) ?? 0) + 1
      said.set(name, count)
      if (count >= someHonest) resolve(beacon)
    } catch {
      // Others are asked as well.
    }
  }
  const found = await Promise.race([promise, Promise.all(others.map(ask)).then(() => undefined)])
  throwIfAborted(signal)
  return found
}
