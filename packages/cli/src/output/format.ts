import { printable } from '@weft/core'

const UNITS = ['kB', 'MB', 'GB', 'TB', 'PB'] as const

/** Bytes for people, in powers of 1000: `118.4 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`
  let value = bytes
  let unit = -1
  // 999.95 and more would be printed as 1000.0 of the smaller unit.
  while (value >= 999.95 && unit < UNITS.length - 1) {
    value /= 1_000
    unit++
  }
  return `${value.toFixed(1)} ${UNITS[unit] as string}`
}

/** A duration in ms for people: `850 ms`, `12.3 s`, `4 min 5 s`, `3 h 12 min`, `29 d 4 h`. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`
  const seconds = Math.round(ms / 1_000)
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(minutes / 60)
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`
  if (hours < 24) return `${hours} h ${minutes % 60} min`
  return `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** A moment (ms since the epoch) for people, in UTC to the minute. */
export function formatTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

/** The last eight characters of an id: enough for people to tell nodes apart, never used to decide anything. */
export function shortId(id: string): string {
  return id.slice(-8)
}

/** As `printable`, but colours (SGR of ECMA-48, which `styleText` writes) stay. */
export function printableStyled(text: string): string {
  return text
    .split(STYLE)
    .map((part, at) => (at % 2 === 0 ? printable(part) : part))
    .join('')
}

const STYLE = new RegExp(`(${String.fromCharCode(0x1b)}\\[\\d{1,2}m)`)
