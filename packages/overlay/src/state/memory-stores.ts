import { MemoryRecordTable } from '../records/memory-record-table.ts'
import { MemorySequences } from '../records/memory-sequences.ts'
import { MemoryMembershipStore } from './memory-membership-store.ts'
import type { OverlayStores } from './overlay-stores.ts'

/** Empty stores in memory. A node that is started again with them remembers what it knew, as one with files does. */
export function memoryStores(): OverlayStores {
  return {
    membership: new MemoryMembershipStore(),
    records: { seen: new MemorySequences(), table: new MemoryRecordTable() },
  }
}
