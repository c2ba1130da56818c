import type { Clock, Logger, Random, Scope } from '@weft/core'
import type { ConformanceProbe, Overlay, OverlayOptions } from '@weft/overlay'
import type { PersonStorage, StorageOptions } from '@weft/storage'
import type { ApplyKillSwitch, VpnInit, VpnService } from '@weft/vpn'
import type { Config } from '../config/load-config.ts'

/** The VPN as the daemon uses it. */
export type NodeVpn = Omit<VpnService, 'open' | 'keepSwitch'>

interface ProbesInit {
  /** State directory of storage. */
  readonly directory: string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly scope: Scope
}

/** The domains that a daemon is composed of: how they are started, and what storage asks of applicants for its role. */
export interface Components {
  createOverlay(options: OverlayOptions): Promise<Overlay>
  createStorage(options: StorageOptions): Promise<PersonStorage>
  createVpn(init: VpnInit): Promise<NodeVpn>
  /** What profiles do to the machine's kill switch. */
  profileKillSwitch(config: Pick<Config, 'home' | 'networkFile'>): ApplyKillSwitch
  probes(init: ProbesInit): readonly ConformanceProbe[]
}
