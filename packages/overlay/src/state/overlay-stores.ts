import type { RecordStores } from '../records/record-stores.ts'
import type { MembershipStore } from './membership-store.ts'

/** All that a node must not forget when it is started again. */
export interface OverlayStores {
  readonly membership: MembershipStore
  readonly records: RecordStores
}
