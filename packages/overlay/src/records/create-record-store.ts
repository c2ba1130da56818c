import { type Clock, type Logger, type Scope, WeftError } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { Membership } from '../member.ts'
import { EncodedAnswer, type Rpc } from '../rpc.ts'
import { encodeGetResponse } from './encode-get-response.ts'
import type { HolderFinder } from './holder-finder.ts'
import { RecordClient } from './record-client.ts'
import { DEFAULT_RECORD_QUOTA, RecordHolder, type RecordQuota } from './record-holder.ts'
import { RecordPeers } from './record-peers.ts'
import { RecordPlacement } from './record-placement.ts'
import { type HandOver, RecordReplicator } from './record-replicator.ts'
import { verifyRecord } from './record.ts'
import type { RecordStore } from './record-store.ts'
import { type RecordStores, openRecordFiles } from './record-stores.ts'

export interface RecordStoreOptions {
  readonly rpc: Rpc
  readonly membership: Membership
  readonly self: DidKey
  /** State directory of the records, made when it does not exist; or stores that are open and stay so. */
  readonly directory: string | RecordStores
  readonly clock: Clock
  readonly logger: Logger
  readonly scope: Scope
  /** True for every node that can become a member: it then answers `record.put` and `record.get`. */
  readonly holder: boolean
  readonly quota?: RecordQuota
  /** True for a member that several observers hold to be down: reads ask it behind the others. */
  readonly isSuspect?: (id: DidKey) => boolean
  /** Who finds holders when the own map does not tell; without it that alone counts. */
  readonly finder?: HolderFinder
}

export interface Records {
  readonly store: RecordStore
  /** By which others of this node find holders as well. */
  readonly placement: RecordPlacement
  /** For a node that leaves: `RecordReplicator.handOver`. */
  readonly handOver: (signal: AbortSignal, onProgress: (done: HandOver) => void) => Promise<HandOver>
}

/**
 * Opens this node's records: the holder where it is one, and the client of everyone's. Closes with the scope.
 * @throws WeftError E_DATABASE, E_DISK_FULL, E_STATE_UNWRITABLE
 */
export async function createRecordStore(options: RecordStoreOptions): Promise<Records> {
  const { rpc, membership, self, directory, clock, logger } = options
  const scope = options.scope.child('records')
  const placement = new RecordPlacement(membership, clock)
  const { seen, table } =
    typeof directory === 'string'
      ? await openRecordFiles({ directory, holder: options.holder, clock, logger, scope })
      : directory
  let holder: RecordHolder | undefined
  if (options.holder && table !== undefined) {
    const quota = options.quota ?? DEFAULT_RECORD_QUOTA
    holder = new RecordHolder({ table, clock, quota, isMember: (id) => membership.isMember(id) })
  }
  let replicator: RecordReplicator | undefined
  const peers = new RecordPeers(rpc, self, holder)
  if (holder !== undefined) {
    serve(rpc, holder, placement, self)
    replicator = new RecordReplicator({ self, membership, holder, peers, placement, clock, logger })
    replicator.start(scope)
  }
  const isSuspect = options.isSuspect ?? ((): boolean => false)
  const store = new RecordClient({ peers, placement, seen, isSuspect, finder: options.finder, clock, logger, scope })
  const handOver: Records['handOver'] = async (signal, onProgress) =>
    (await replicator?.handOver(signal, onProgress)) ?? { records: 0, safe: 0 }
  return { store, placement, handOver }
}

function serve(rpc: Rpc, holder: RecordHolder, placement: RecordPlacement, self: DidKey): void {
  rpc.handle('record.get', async ({ key }) => {
    if (key.length !== 32) {
      throw new WeftError({
        code: 'E_RECORD_INVALID',
        cause: `A record key has 32 bytes, not ${key.length}.`,
        fix: 'The caller has to follow docs/specs/records.md.',
      })
    }
    const record = holder.getEncoded(key)
    return record === undefined ? {} : new EncodedAnswer(encodeGetResponse(record))
  })
  rpc.handle('record.put', async ({ record: message }, caller) => {
    const record = verifyRecord(message)
    if (!placement.nearby(record.key, self)) {
      throw new WeftError({
        code: 'E_RECORD_MISPLACED',
        cause: 'This member is not among those that are close to the key.',
        fix: 'Fetch the newest map and write to the members closest to the key.',
      })
    }
    await holder.put(record, caller.id)
    return {}
  })
}
