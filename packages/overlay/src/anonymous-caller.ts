import { type Clock, type Logger, Scope } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { AnonymousCaller } from './overlay.ts'
import { MemorySequences } from './records/memory-sequences.ts'
import { RecordClient } from './records/record-client.ts'
import { RecordPeers } from './records/record-peers.ts'
import type { RecordPlacement } from './records/record-placement.ts'
import { createAnonymous } from './transport/create-anonymous.ts'
import type { OpenWay } from './transport/way-transport.ts'

export interface AnonymousCallerInit {
  readonly networkId: string
  readonly placement: RecordPlacement
  readonly isSuspect: (id: DidKey) => boolean
  readonly clock: Clock
  readonly logger: Logger
  /** Of this node: callers end with it. */
  readonly scope: Scope
}

/** ms that a record holder has for an answer, the way to it included. */
const RECORD_MS = 20_000

/**
 * A caller whose records are read and written over its own ways too. Their holders are computed from the map, never asked
 * for by lookups, which would show whom this node looks for; what it reads leaves no trace in this node's memory of sequences.
 */
export async function anonymousCaller(init: AnonymousCallerInit, open: OpenWay): Promise<AnonymousCaller> {
  const { networkId, placement, isSuspect, clock, logger } = init
  const scope = new Scope({ name: 'anonymous caller', clock, logger })
  const onParentClose = (): void => void scope.close()
  init.scope.signal.addEventListener('abort', onParentClose, { once: true })
  scope.defer('parent', () => init.scope.signal.removeEventListener('abort', onParentClose))
  try {
    const { self, rpc, streams } = await createAnonymous({ networkId, open, clock, logger, scope })
    const records = new RecordClient({
      peers: new RecordPeers(rpc, self, undefined),
      placement,
      seen: new MemorySequences(),
      isSuspect,
      finder: undefined,
      timeoutMs: RECORD_MS,
      clock,
      logger,
      scope,
    })
    return { self, records, streams, [Symbol.asyncDispose]: () => scope.close() }
  } catch (error) {
    await scope.close()
    throw error
  }
}
