import { WeftError } from '@weft/core'
import { systemErrorName } from '../udp/system-error-name.ts'

/** Why the TCP port for packets in TLS did not open. */
export function carriagePortError(host: string, port: number, error: unknown): WeftError {
  const name = systemErrorName(error)
  const details = { host, port, error: name, protocol: 'tcp' }
  if (name === 'EADDRINUSE')
    return new WeftError({
      code: 'E_PORT_TAKEN',
      cause: `TCP port ${port} of ${host}, for packets in TLS, is taken by another process.`,
      fix: 'Stop what holds it (ss -ltnp shows it), or choose another with ports.packets.',
      details,
      origin: error,
    })
  return new WeftError({
    code: 'E_LISTEN_FAILED',
    cause: `TCP port ${port} of ${host}, for packets in TLS, cannot be opened: ${name}.`,
    fix:
      name === 'EACCES'
        ? 'Ports below 1024 need privileges: choose a higher ports.packets.'
        : 'Take an address of this machine (ip address shows them) as the listening address.',
    details,
    origin: error,
  })
}
