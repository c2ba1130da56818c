import { readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { basename } from 'node:path'

export interface PortOwner {
  readonly pid: number
  /** Its program, and of an interpreter the script: `node daemon.js`. */
  readonly name: string
}

/**
 * Who uses a port of this machine (proc_pid_fd(5), /proc/net/tcp). Undefined when nobody does, when the
 * process belongs to another user and may not be looked at, or where there is no /proc.
 * @param peerPort only of a connection to this port: connections to different places may share their own port
 */
export function portOwner(port: number, protocol: 'tcp' | 'udp' = 'tcp', peerPort?: number): PortOwner | undefined {
  const inodes = new Set(
    [protocol, `${protocol}6`].flatMap((table) => socketInodes(read(`/proc/net/${table}`), port, peerPort)),
  )
  if (inodes.size === 0) return undefined
  for (const pid of entries('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    for (const descriptor of entries(`/proc/${pid}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(link(`/proc/${pid}/fd/${descriptor}`))?.[1]
      if (inode !== undefined && inodes.has(inode)) return { pid: Number(pid), name: programOf(pid) }
    }
  }
  return undefined
}

/**
 * Inodes of the sockets at a local port, from the text of /proc/net/tcp or udp. In any state: also the local end of an
 * outgoing connection keeps a port from being listened on.
 */
export function socketInodes(table: string, port: number, peerPort?: number): string[] {
  const end = (one: number): string => `:${one.toString(16).toUpperCase().padStart(4, '0')}`
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(
      ([, local = '', remote = '', , , , , , , inode]) =>
        local.endsWith(end(port)) && (peerPort === undefined || remote.endsWith(end(peerPort))) && inode !== '0',
    )
    .map((fields) => fields[9] as string)
}

/** Only file names of the command line: its arguments may be private. */
function programOf(pid: string): string {
  const [program = '', script = ''] = read(`/proc/${pid}/cmdline`).split('\0')
  const name = basename(program.split(' ')[0] ?? '')
  if (name === '') return read(`/proc/${pid}/comm`).trim()
  return /^(node|python|ruby|perl|java|deno|bun)[\d.]*$/.test(name) && script !== '' && !script.startsWith('-')
    ? `${name} ${basename(script)}`
    : name
}

// Processes come and go and other users' are closed: what cannot be read is as if it were not there.
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

function entries(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
