import { WeftError, messageOf, portOwner } from '@weft/core'

/** What became of an attempt to listen: the port, the setting that chose it, and who has it. */
export function portError(error: unknown, port: number, setting: string, protocol: 'tcp' | 'udp' = 'tcp'): WeftError {
  const name = protocol === 'udp' ? 'UDP port' : 'Port'
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'EADDRINUSE') {
    const owner = portOwner(port, protocol)
    const by = owner === undefined ? 'another process' : `${owner.name} (pid ${owner.pid})`
    return new WeftError({
      code: 'E_PORT_TAKEN',
      cause: `${name} ${port} (${setting}) is taken by ${by}.`,
      fix: `Stop ${owner === undefined ? 'that process' : by}, or choose other ports with ${flagOf(setting)}.`,
      details: { port, setting, ...(owner === undefined ? {} : { pid: owner.pid, process: owner.name }) },
      origin: error,
    })
  }
  const privileged = code === 'EACCES' && port < 1024
  return new WeftError({
    code: 'E_PORT_UNUSABLE',
    cause: `The daemon cannot listen on ${protocol === 'udp' ? 'UDP ' : ''}port ${port} (${setting}): ${messageOf(error)}.`,
    fix: privileged
      ? `Ports below 1024 need rights; choose others with ${flagOf(setting)}.`
      : `Check network.listen_host and ${flagOf(setting)}.`,
    details: { port, setting },
    origin: error,
  })
}

function flagOf(setting: string): string {
  if (setting === 'ports.packets' || setting === 'bridge.port') return setting
  return setting.startsWith('ports.public') ? '--public-port' : '--base-port'
}
