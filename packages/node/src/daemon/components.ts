import type { ConformanceProbe, Overlay, OverlayOptions } from '@weft/overlay'
import type { Storage, StorageOptions } from '@weft/storage'
import type { VpnInit, VpnService } from '@weft/vpn'

/** The VPN as the daemon uses it. */
export type NodeVpn = Omit<VpnService, 'open'>

/** The domains that a daemon is composed of: how they are started, and what storage asks of applicants for its role. */
export interface Components {
  createOverlay(options: OverlayOptions): Promise<Overlay>
  createStorage(options: StorageOptions): Promise<Storage>
  createVpn(init: VpnInit): Promise<NodeVpn>
  readonly probes: readonly ConformanceProbe[]
}
