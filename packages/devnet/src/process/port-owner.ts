import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

export interface PortOwner {
  readonly pid: number
  readonly name: string
}

/**
 * Which process listens on a TCP port of this machine, as far as /proc shows it to this user (proc(5)): undefined on
 * other systems, for other users' processes, and when nobody listens.
 */
export function portOwner(port: number): PortOwner | undefined {
  try {
    const inodes = new Set(
      ['tcp', 'tcp6'].flatMap((table) => listeningInodes(readFileSync(`/proc/net/${table}`, 'utf8'), port)),
    )
    if (inodes.size === 0) return undefined
    for (const pid of readdirSync('/proc')) {
      if (/^\d+$/.test(pid) && holdsSocket(pid, inodes)) {
        return { pid: Number(pid), name: readFileSync(`/proc/${pid}/comm`, 'utf8').trim() }
      }
    }
  } catch {
    // No /proc here, or the process ended meanwhile: the port is named without its owner.
  }
  return undefined
}

/** Inodes of the sockets that listen on `port`, from the text of /proc/net/tcp (state 0A is LISTEN). */
export function listeningInodes(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const inodes: string[] = []
  for (const line of table.split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/)
    if (fields[1]?.endsWith(suffix) === true && fields[3] === '0A' && fields[9] !== undefined) inodes.push(fields[9])
  }
  return inodes
}

function holdsSocket(pid: string, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1]
      return inode !== undefined && inodes.has(inode)
    })
  } catch {
    // Another user's process, or a descriptor that closed while we looked.
    return false
  }
}
