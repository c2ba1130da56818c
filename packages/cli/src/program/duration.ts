import { usageError } from './usage-error.ts'

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const MAX_MS = 365 * 86_400_000

/** Reads `500ms`, `30s`, `5m`, `12h` or `30d` as ms; up to 365 days. @throws WeftError E_USAGE naming the option */
export function parseDuration(text: string, option: string): number {
  const [, digits, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? []
  const ms = Number(digits) * (UNITS[unit ?? ''] ?? Number.NaN)
  if (ms > 0 && ms <= MAX_MS) return ms
  throw usageError(
    `${option} '${text}' is no duration.`,
    `Write a number and a unit, such as 500ms, 30s, 5m, 12h or 30d (365d at most).`,
  )
}
