import type { Fault } from '@weft/core'
import type { Check } from './node-checks.ts'

/** What is wrong, once by code: several checks may see one thing, and the first says most. */
export function distinctFaults(checks: readonly Check[]): readonly Fault[] {
  const faults = new Map<string, Fault>()
  for (const { fault } of checks) if (fault !== undefined && !faults.has(fault.code)) faults.set(fault.code, fault)
  return [...faults.values()]
}
