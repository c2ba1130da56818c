import { type Clock, orAborted, withTimeout } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { StreamProtocol } from '@weft/wire'
import { DIRECT_WAIT_MS } from '../limits.ts'
import { relayedOnly } from './relayed-only.ts'

export interface DirectWait<C> {
  readonly id: DidKey
  readonly protocol: StreamProtocol
  readonly clock: Clock
  /** Whoever asks, and the transport as a whole. */
  readonly signals: readonly (AbortSignal | undefined)[]
  /** Calls back with each direct connection to the node that opens, until what it gives back is called. */
  readonly listen: (found: (connection: C) => void) => () => void
}

/**
 * The direct connection that follows a relayed one, where the two sides can make one within DIRECT_WAIT_MS.
 *
 * @throws WeftError E_NODE_RELAYED, E_ABORTED
 */
export async function untilDirect<C>({ id, protocol, clock, signals, listen }: DirectWait<C>): Promise<C> {
  const { promise, resolve } = Promise.withResolvers<C>()
  const forget = listen(resolve)
  try {
    return await withTimeout(
      clock,
      DIRECT_WAIT_MS,
      AbortSignal.any(signals.filter((each) => each !== undefined)),
      () => relayedOnly(id, protocol),
      (inner) => orAborted(promise, inner),
    )
  } finally {
    forget()
  }
}
