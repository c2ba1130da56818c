import type { WeftError } from '@weft/core'

/** Makes the error of a refused value out of the words that say what is wrong with it. */
export type Refusal = (why: string) => WeftError

/** A whole number from `min` to `max`. @throws refusal */
export function integerOf(value: unknown, path: string, min: number, max: number, refuse: Refusal): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
    throw refuse(`${path} must be a whole number from ${min} to ${max}, and is ${shown(value)}`)
  }
  return value
}

/** The last ms since the Unix epoch that a `Date` can be (ECMA-262, section 21.4.1.1). */
const MAX_TIME = 8.64e15

/** A moment in ms since the Unix epoch that a calendar knows. @throws refusal */
export function timeOf(value: unknown, path: string, refuse: Refusal): number {
  return integerOf(value, path, 0, MAX_TIME, refuse)
}

/** A string that fits the whole pattern, at most `maxLength` characters. @throws refusal */
export function textOf(value: unknown, path: string, pattern: RegExp, maxLength: number, refuse: Refusal): string {
  if (typeof value !== 'string' || value.length > maxLength || !pattern.test(value)) {
    throw refuse(
      `${path} must be text of the form ${pattern.source} and at most ${maxLength} characters, and is ${shown(value)}`,
    )
  }
  return value
}

/** @throws refusal */
export function booleanOf(value: unknown, path: string, refuse: Refusal): boolean {
  if (typeof value !== 'boolean') throw refuse(`${path} must be true or false, and is ${shown(value)}`)
  return value
}

/** Exactly `length` bytes. @throws refusal */
export function bytesOf(value: unknown, path: string, length: number, refuse: Refusal): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length !== length) {
    throw refuse(`${path} must be ${length} bytes, and is ${shown(value)}`)
  }
  return value
}

/** A list of `min` to `max` items, each read by `item`. @throws refusal */
export function listOf<T>(
  value: unknown,
  path: string,
  min: number,
  max: number,
  refuse: Refusal,
  item: (value: unknown, path: string) => T,
): T[] {
  if (!Array.isArray(value) || value.length < min || value.length > max) {
    throw refuse(`${path} must be a list of ${min} to ${max} items, and is ${shown(value)}`)
  }
  return value.map((entry, index) => item(entry, `${path}[${index}]`))
}

/** A list of exactly `length` items of any kind: the tuple that a hashed structure is. @throws refusal */
export function tupleOf(value: unknown, path: string, length: number, refuse: Refusal): readonly unknown[] {
  return listOf(value, path, length, length, refuse, (item) => item)
}

/** An object with no keys but the known ones. Unknown keys are refused by name. @throws refusal */
export function objectOf<K extends string>(
  value: unknown,
  path: string,
  known: readonly K[],
  refuse: Refusal,
): Readonly<Partial<Record<K, unknown>>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) {
    throw refuse(`${path} must be an object, and is ${shown(value)}`)
  }
  for (const key of Object.keys(value)) {
    if (!(known as readonly string[]).includes(key)) {
      throw refuse(`${path} has the unknown key '${key.slice(0, 80)}'; known are ${known.join(', ')}`)
    }
  }
  return value as Readonly<Partial<Record<K, unknown>>>
}

/** No item twice. @throws refusal */
export function distinct<T>(items: readonly T[], path: string, refuse: Refusal): readonly T[] {
  if (new Set(items).size !== items.length) throw refuse(`${path} names an item twice`)
  return items
}

function shown(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null) return 'null'
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'string') return `'${value.length > 80 ? `${value.slice(0, 80)}…` : value}'`
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  return `a value of type ${typeof value}`
}
