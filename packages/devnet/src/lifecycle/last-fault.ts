import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import type { Fault } from '@weft/core'
import { logPath } from './devnet-directory.ts'

/** Bytes of the end of a log in which the fault is looked for. */
const TAIL = 64 * 1024

/** Where the log of a home ends now, bytes: what a daemon writes from here on is its own. */
export function logLength(home: string): number {
  return statSync(logPath(home), { throwIfNoEntry: false })?.size ?? 0
}

/**
 * Why a daemon ended, from what it wrote to its log behind `from` bytes: the last fault with a code, as a line of
 * JSON or as the words that the daemon prints; else the last line. Undefined when there is none.
 */
export function lastFault(home: string, from: number): Fault | undefined {
  const text = tail(logPath(home), from)
  const line = text.trim().split('\n').at(-1) ?? ''
  return (
    faultIn(text) ??
    (line === '' ? undefined : { code: 'E_DEVNET_NODE_DIED', cause: line.slice(0, 500), fix: `See ${logPath(home)}.` })
  )
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

function tail(path: string, from: number): string {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch {
    // No such log: the node did not come that far.
    return ''
  }
  try {
    const { size } = fstatSync(file)
    const buffer = Buffer.alloc(Math.min(Math.max(0, size - from), TAIL))
    readSync(file, buffer, 0, buffer.length, size - buffer.length)
    return buffer.toString('utf8')
  } finally {
    closeSync(file)
  }
}
