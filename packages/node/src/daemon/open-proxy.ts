import { WeftError, isWeftError } from '@weft/core'
import type { NodeVpn } from './components.ts'
import { portError } from './port-error.ts'

/** The proxy's port, counted from ports.base (docs/specs/cli.md, Ports). */
export const PROXY = 1

/** The port of DNS, counted alike. */
export const DNS = 4

/**
 * Starts the proxy, DNS and a route.
 * @param tun whether the whole machine goes through one; by default as it was told last, or as vpn.tun says
 * @throws WeftError E_PORT_TAKEN with the setting and who has the port, E_LISTEN_FAILED, E_PACKETS_FAILED, and those of `Vpn.up`
 */
export async function openProxy(vpn: NodeVpn, basePort: number, tun?: boolean): Promise<void> {
  try {
    await vpn.up(tun)
  } catch (error) {
    // The VPN does not know who has the port, nor by which setting it was chosen.
    throw isWeftError(error, 'E_PORT_TAKEN') ? taken(basePort, error.details) : error
  }
}

/** The VPN says which port and protocol it was. */
function taken(basePort: number, { port, protocol }: WeftError['details']): WeftError {
  const error = { code: 'EADDRINUSE' }
  if (port !== basePort + DNS) return portError(error, basePort + PROXY, `ports.base + ${PROXY}`)
  const transport = protocol === 'udp' ? 'udp' : 'tcp'
  const { code, cause, fix, details } = portError(error, port, `ports.base + ${DNS}`, transport)
  return new WeftError({ code, cause, fix: `${fix} With vpn.dns = "off" the port is not wanted.`, details })
}
