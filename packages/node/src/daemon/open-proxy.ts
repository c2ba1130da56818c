import { type Logger, WeftError, isWeftError } from '@weft/core'
import type { NodeVpn } from './components.ts'
import { portError } from './port-error.ts'
import type { VpnProfiles } from './vpn-profiles.ts'

/** The proxy's port, counted from ports.base (docs/specs/cli.md, Ports). */
export const PROXY = 1

/** The port of DNS, counted alike. */
export const DNS = 4

export interface ProfiledVpn {
  readonly vpn: NodeVpn
  readonly profiles: VpnProfiles
}

/**
 * Starts the proxy, DNS and a route, as the profile in use says; its kill switch before them.
 * @param tun whether the whole machine goes through one; by default as it was told last, or as the profile says
 * @throws WeftError E_PORT_TAKEN with the setting and who has the port, E_LISTEN_FAILED, E_PACKETS_FAILED, and those of `Vpn.up` and of the
 * kill switch
 */
export async function openProxy({ vpn, profiles }: ProfiledVpn, basePort: number, tun?: boolean): Promise<void> {
  await profiles.prepareUp()
  try {
    await vpn.up(tun)
  } catch (error) {
    // The VPN does not know who has the port, nor by which setting it was chosen.
    throw isWeftError(error, 'E_PORT_TAKEN') ? taken(basePort, error.details) : error
  }
}

/**
 * The same as a daemon starts. Where rules of one that was killed let nothing leave this machine, and its tunnel cannot be opened, the daemon
 * runs all the same: it says why, and can open the machine. @throws as `openProxy`
 */
export async function openProxyFromStart(own: ProfiledVpn, basePort: number, logger: Logger): Promise<void> {
  try {
    await openProxy(own, basePort)
  } catch (error) {
    const { tun } = await own.vpn.status()
    if (!isWeftError(error) || tun?.state !== 'shut' || tun.fault?.code !== error.code) throw error
    logger.error('the tunnel cannot be opened, and nothing leaves this machine', { ...tun.fault })
  }
}

/** The VPN says which port and protocol it was. */
function taken(basePort: number, { port, protocol }: WeftError['details']): WeftError {
  const error = { code: 'EADDRINUSE' }
  if (port !== basePort + DNS) return portError(error, basePort + PROXY, `ports.base + ${PROXY}`)
  const transport = protocol === 'udp' ? 'udp' : 'tcp'
  const { code, cause, fix, details } = portError(error, port, `ports.base + ${DNS}`, transport)
  return new WeftError({
    code,
    cause,
    fix: `${fix} With vpn.dns = "off", or a profile that says so, the port is not wanted.`,
    details,
  })
}
