import { WeftError } from '@weft/core'
import { type Bridge, formatBridgeLine, parseBridgeLine } from './bridge-line.ts'
import { MAX_BRIDGES } from './limits.ts'
import { nameOf } from './open-stream.ts'
import { bridgeFile, readSecretFile, writeSecretFile } from './secret-file.ts'

/** In the home of a client: the bridges that it calls by, in the order in which they are tried. One line each, mode 0600. */
export const BRIDGES_FILE = 'bridges'

/** @throws WeftError E_BRIDGE_FILE */
export function readBridges(path: string): readonly Bridge[] {
  const lines = (readSecretFile(path) ?? '').split('\n').filter((line) => line !== '')
  if (lines.length > MAX_BRIDGES)
    throw bridgeFile(path, `it has ${lines.length} lines; the limit is ${MAX_BRIDGES}`, 'Take out what is not needed.')
  return lines.map((line, at) => {
    try {
      return parseBridgeLine(line)
    } catch {
      throw bridgeFile(
        path,
        `its line ${at + 1} is none of a bridge`,
        'Take that line out, and add it: weft bridge add -.',
      )
    }
  })
}

/**
 * Adds a bridge behind the others; a new line for one that is there takes its place.
 * @throws WeftError E_BRIDGE_LINE, E_BRIDGE_FILE, E_BRIDGE_LIMIT
 */
export function addBridge(path: string, line: string): Bridge {
  const bridge = parseBridgeLine(line)
  const known = readBridges(path)
  const at = known.findIndex((each) => nameOf(each) === nameOf(bridge))
  if (at < 0 && known.length >= MAX_BRIDGES)
    throw new WeftError({
      code: 'E_BRIDGE_LIMIT',
      cause: `There are ${MAX_BRIDGES} bridges, which is the limit.`,
      fix: 'Take one out first: weft bridge remove.',
    })
  write(path, at < 0 ? [...known, bridge] : known.with(at, bridge))
  return bridge
}

/** @param name `ADDRESS:PORT`. @throws WeftError E_BRIDGE_UNKNOWN, E_BRIDGE_FILE */
export function removeBridge(path: string, name: string): void {
  const known = readBridges(path)
  const left = known.filter((each) => nameOf(each) !== name)
  if (left.length === known.length)
    throw new WeftError({
      code: 'E_BRIDGE_UNKNOWN',
      cause: `This node has no bridge at '${name.slice(0, 64)}'.`,
      fix: 'See weft bridge show.',
    })
  write(path, left)
}

function write(path: string, bridges: readonly Bridge[]): void {
  writeSecretFile(path, bridges.map((bridge) => `${formatBridgeLine(bridge)}\n`).join(''))
}
