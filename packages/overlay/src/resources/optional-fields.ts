import type { Refusal } from '../codec/strict-values.ts'

/** A field that is left out where it is encoded as null. */
export function present<K extends string, T>(
  key: K,
  value: unknown,
  read: (value: unknown) => T,
): Partial<Record<K, T>> {
  return value === null ? {} : ({ [key]: read(value) } as Record<K, T>)
}

/** @throws refusal */
export function oneOf<const T extends string>(value: unknown, path: string, known: readonly T[], refuse: Refusal): T {
  const found = known.find((one) => one === value)
  if (found === undefined) throw refuse(`${path} must be one of ${known.join(', ')}`)
  return found
}
