import { WeftError } from '@weft/core'

/** Why a UDP port did not open, of the name of a system error. */
export function udpPortError(host: string, port: number, error: string, origin?: unknown): WeftError {
  const details = { host, port, error }
  if (error === 'EADDRINUSE')
    return new WeftError({
      code: 'E_PORT_TAKEN',
      cause: `UDP port ${port} of ${host} is taken by another process.`,
      fix: `Stop what holds it (ss -lunp shows it), or choose another with ports.packets.`,
      details,
      origin,
    })
  return new WeftError({
    code: 'E_UDP_PORT',
    cause: `UDP port ${port} of ${host} cannot be opened: ${error}.`,
    fix:
      error === 'EACCES'
        ? 'Ports below 1024 need privileges: choose a higher ports.packets.'
        : 'Take an address of this machine (ip address shows them) as the listening address.',
    details,
    origin,
  })
}
