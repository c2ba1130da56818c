import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { Fault } from '@weft/core'
import { logPath } from './devnet-directory.ts'

/** Bytes of the end of a log in which the fault is looked for. */
const TAIL = 64 * 1024

/**
 * Why a node ended, from the end of its logs: the last fault with a code, as the line of JSON of the log or as the
 * words that the daemon prints; else the last line. Undefined when there is none.
 */
export function lastFault(home: string): Fault | undefined {
  const texts = [logPath(home), join(home, 'logs', 'daemon.log')].map((path) => tail(path))
  for (const text of texts) {
    const fault = faultIn(text)
    if (fault !== undefined) return fault
  }
  const line = texts.map((text) => text.trim().split('\n').at(-1)).find((last) => last !== undefined && last !== '')
  return line === undefined
    ? undefined
    : { code: 'E_DEVNET_NODE_DIED', cause: line.slice(0, 500), fix: `See ${join(home, 'logs')}.` }
}

/** The last fault in a text of log lines. */
export function faultIn(text: string): Fault | undefined {
  for (const line of text.split('\n').toReversed()) {
    const fault = faultOfLine(line)
    if (fault !== undefined) return fault
  }
  return undefined
}

function faultOfLine(line: string): Fault | undefined {
  if (!line.includes('E_')) return undefined
  if (line.startsWith('{')) {
    try {
      return faultOfValue(JSON.parse(line))
    } catch {
      // The first line of the tail is cut; the ones behind it tell.
      return undefined
    }
  }
  const words = /^(?:weft: )?(E_[A-Z0-9_]+): (.*?)(?: Fix: (.*))?$/.exec(line.trim())
  return words?.[1] === undefined || words[2] === undefined
    ? undefined
    : { code: words[1], cause: words[2], fix: words[3] ?? 'See the log.' }
}

function faultOfValue(value: unknown, depth = 0): Fault | undefined {
  if (typeof value !== 'object' || value === null || depth > 3) return undefined
  const { code, cause, fix } = value as Record<string, unknown>
  if (typeof code === 'string' && code.startsWith('E_') && typeof cause === 'string') {
    return { code, cause, fix: typeof fix === 'string' ? fix : 'See the log.' }
  }
  for (const member of Object.values(value)) {
    const fault = faultOfValue(member, depth + 1)
    if (fault !== undefined) return fault
  }
  return undefined
}

function tail(path: string): string {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch {
    // No such log: the node did not come that far.
    return ''
  }
  try {
    const { size } = fstatSync(file)
    const buffer = Buffer.alloc(Math.min(size, TAIL))
    readSync(file, buffer, 0, buffer.length, size - buffer.length)
    return buffer.toString('utf8')
  } finally {
    closeSync(file)
  }
}
