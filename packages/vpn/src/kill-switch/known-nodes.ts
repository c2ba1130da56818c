import { closeSync, constants, fstatSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import type { OutsideAddress } from '../tun/machine-rules-text.ts'

/** Addresses of nodes that are let out, or kept. */
const MOST_NODES = 16_384
/** Bytes of the file. */
const MOST_BYTES = 2 * 1024 * 1024

/** Those that rules can name. */
export function usableNodes(nodes: readonly OutsideAddress[]): readonly OutsideAddress[] {
  return nodes.filter(isUsable).slice(0, MOST_NODES)
}

/** Keeps where the connections of this home's daemon lead, for a switch that is put on while it does not run. @throws an error of the system */
export function writeKnownNodes(path: string, nodes: readonly OutsideAddress[]): void {
  const known = usableNodes(nodes).map(({ host, port }) => ({ host, port }))
  writeFileSync(`${path}.new`, `${JSON.stringify({ schemaVersion: 1, nodes: known })}\n`, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

/** None where there is no such file, or nothing in it can be read: it is the daemon's own, whose user need not be who reads it. */
export function readKnownNodes(path: string): readonly OutsideAddress[] {
  try {
    const { nodes } = JSON.parse(readWithin(path)) as { readonly nodes?: unknown }
    if (!Array.isArray(nodes)) return []
    return usableNodes(nodes.filter((node) => typeof node === 'object' && node !== null) as OutsideAddress[])
  } catch {
    return []
  }
}

function readWithin(path: string): string {
  // Neither a link to something else, nor a pipe that nobody writes to.
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const stat = fstatSync(file)
    return stat.isFile() && stat.size <= MOST_BYTES ? readFileSync(file, 'utf8') : ''
  } finally {
    closeSync(file)
  }
}

function isUsable({ host, port }: OutsideAddress): boolean {
  const isAddress = typeof host === 'string' && isIP(host) !== 0 && !host.includes('%')
  return isAddress && Number.isInteger(port) && port > 0 && port < 65_536
}
