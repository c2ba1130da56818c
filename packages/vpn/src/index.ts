/** The VPN of a node: routes over three hops, the proxy that leads into them, and what the node carries for others. */
export type { EngineInit } from './engine/engine-init.ts'
export { type VpnInit, VpnService, createVpn } from './service/create-vpn.ts'
export type { ServiceWays } from './service/service-ways.ts'
export { LinuxTun, ReadableWait, loadLinuxTunCalls } from './tun/linux-tun.ts'
export { leftRules } from './tun/machine-rules.ts'
export type * from './vpn.ts'
