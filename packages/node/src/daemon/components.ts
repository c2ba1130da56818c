import type { ConformanceProbe, Overlay, OverlayOptions } from '@weft/overlay'
import type { Storage, StorageOptions } from '@weft/storage'

/** The domains that a daemon is composed of: how they are started, and what they ask of applicants for their role. */
export interface Components {
  createOverlay(options: OverlayOptions): Promise<Overlay>
  createStorage(options: StorageOptions): Promise<Storage>
  readonly probes: readonly ConformanceProbe[]
}
