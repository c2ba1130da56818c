import { counted } from '@weft/core'
import type { ChangedVpnProfileAnswer, VpnProfileAnswer, VpnProfilesAnswer } from '@weft/node'
import { faultLines } from './fault-lines.ts'
import type { Output } from './output.ts'

type Profile = VpnProfileAnswer['profile']
type Pending = VpnProfilesAnswer['pending']
type Change = ChangedVpnProfileAnswer['changes'][number]
type Value = Change['from']

const TAKES = {
  up: 'weft vpn up',
  again: 'weft vpn down, then weft vpn up; in between packets go their own way, unless a kill switch is on',
} as const

/** What the VPN does not do yet of its profile, and what makes it; none when nothing waits. */
export function pendingLines({ fields, takes }: Pending): string[] {
  return takes === undefined ? [] : [`${fields.join(', ')} of the profile not yet: ${TAKES[takes]}`]
}

/** What a profile says, in one line. */
export function profileWords({ fields }: Profile): string {
  const words = Object.entries(fields).map(([field, value]) => `${field} ${valueWords(value ?? '', true)}`)
  return words.length === 0 ? 'as configured' : words.join(', ')
}

/** What whoever relies on a profile should know; none where there is nothing. */
export function warningLines(warnings: Profile['warnings'], output: Output): string[] {
  return warnings.flatMap((warning) => faultLines(warning, output))
}

/** Every field as it holds on this node, and whether the profile says so. */
export function profileLines({ name, builtIn, inUse, fields, effective }: Profile): string[] {
  const marks = [...(builtIn ? ['built in'] : []), ...(inUse ? ['in use'] : [])]
  const width = Math.max(...Object.keys(effective).map((field) => field.length))
  return [
    `${name}${marks.length === 0 ? '' : ` (${marks.join(', ')})`}`,
    ...Object.entries(effective).map(
      ([field, value]) =>
        `  ${field.padEnd(width)}  ${valueWords(value, false)}${field in fields ? '' : '  (as configured)'}`,
    ),
  ]
}

/** One line a field that is another. */
export function changeLines(changes: readonly Change[]): string[] {
  return changes.map(({ field, from, to }) => `  ${field}: ${changeWords(from)} -> ${changeWords(to)}`)
}

function changeWords(value: Value): string {
  return value === undefined ? 'as configured' : valueWords(value, false)
}

function valueWords(value: NonNullable<Value>, isShort: boolean): string {
  if (typeof value !== 'object') return String(value)
  if (value.length === 0) return 'none'
  return isShort ? counted(value.length, 'entry', 'entries') : value.join(', ')
}
