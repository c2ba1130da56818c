import type { Fault } from './error.ts'

/** Several faults as one, with the code of the first: each cause and each fix once. Undefined when there is none. */
export function joinFaults(faults: readonly Fault[]): Fault | undefined {
  const [first] = faults
  if (first === undefined) return undefined
  const words = (of: (fault: Fault) => string): string => [...new Set(faults.map(of))].join(' ')
  return { code: first.code, cause: words(({ cause }) => cause), fix: words(({ fix }) => fix) }
}
