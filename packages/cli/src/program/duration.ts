import { usageError } from './usage-error.ts'

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const MAX_DAYS = 365

/** Reads `500ms`, `30s`, `5m`, `12h` or `30d` as ms; up to 365 days. @throws WeftError E_USAGE naming the option */
export function parseDuration(text: string, option: string): number {
  const [, digits, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(text) ?? []
  const ms = Number(digits) * (UNITS[unit ?? ''] ?? Number.NaN)
  if (Number.isNaN(ms)) {
    throw usageError(
      `${option} '${text}' is no duration.`,
      `Write a number and a unit, such as 500ms, 30s, 5m, 12h or 30d (${MAX_DAYS}d at most).`,
    )
  }
  if (ms === 0) throw usageError(`${option} '${text}' is no time at all.`, `Give 1ms or more, ${MAX_DAYS}d at most.`)
  if (ms > MAX_DAYS * 86_400_000) {
    throw usageError(
      `${option} '${text}' is longer than ${MAX_DAYS} days, the longest possible.`,
      `Give ${MAX_DAYS}d or less.`,
    )
  }
  return ms
}
