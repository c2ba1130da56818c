import type { VpnBannerProps } from '../src/parts/vpn-banner.tsx'

/** What the daemon says of a VPN that is off. */
export const OFF: VpnBannerProps['vpn'] = {
  schemaVersion: 1,
  state: 'off',
  profile: { name: 'default', pending: { fields: [] }, warnings: [] },
  streams: { open: 0, opened: 0, failed: 0 },
  failures: [],
  services: { routes: 0, streams: 0, sentBytes: 0, receivedBytes: 0 },
  route: {
    legs: [],
    throughput: { sentBytesPerSecond: 0, receivedBytesPerSecond: 0, sentBytes: 0, receivedBytes: 0 },
    events: [],
  },
  others: [],
  carriage: { over: 'udp', setting: 'auto', reason: '' },
}
