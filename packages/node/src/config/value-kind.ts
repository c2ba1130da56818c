import { SIZE_UNITS, isWeftError, messageOf, sizeWords } from '@weft/core'

/**
 * How a setting is written. `parse` takes what TOML gave (string, number, boolean, array) or the text of a flag or
 * variable, and throws a RangeError whose message completes the sentence "The setting KEY …".
 */
export interface ValueKind<T> {
  /** For people: what may be written, with the unit. */
  readonly syntax: string
  parse(value: unknown): T
  /** The value as one would write it in weft.toml. */
  format(value: T): string
}

export function integer(least: number, most: number, unit: string): ValueKind<number> {
  return {
    syntax: `whole number from ${least} to ${most} (${unit})`,
    parse(value) {
      const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value
      if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < least || number > most) {
        throw new RangeError(`must be a whole number from ${least} to ${most}, and is ${shown(value)}`)
      }
      return number
    },
    format: String,
  }
}

export function text(pattern: RegExp, syntax: string): ValueKind<string> {
  return {
    syntax,
    parse(value) {
      if (typeof value !== 'string' || !pattern.test(value))
        throw new RangeError(`must be ${syntax}, and is ${shown(value)}`)
      return value
    },
    format: (value) => JSON.stringify(value),
  }
}

/** Text that `check` takes; what it throws says what is wrong with it. */
export function checked(check: (value: string) => void, syntax: string): ValueKind<string> {
  return {
    syntax,
    parse(value) {
      if (typeof value !== 'string') throw new RangeError(`must be ${syntax}, and is ${shown(value)}`)
      try {
        check(value)
      } catch (error) {
        const why = isWeftError(error) ? error.cause : messageOf(error)
        // Who tells it ends the sentence.
        throw new RangeError(`must be ${syntax}: ${why.replace(/\.$/, '')}`)
      }
      return value
    },
    format: (value) => JSON.stringify(value),
  }
}

export function oneOf<const T extends string>(choices: readonly T[]): ValueKind<T> {
  return {
    syntax: `one of ${choices.join(', ')}`,
    parse(value) {
      const choice = choices.find((known) => known === value)
      if (choice === undefined) throw new RangeError(`must be one of ${choices.join(', ')}, and is ${shown(value)}`)
      return choice
    },
    format: (value) => JSON.stringify(value),
  }
}

export function yesNo(): ValueKind<boolean> {
  return {
    syntax: 'true or false',
    parse(value) {
      if (value === true || value === 'true') return true
      if (value === false || value === 'false') return false
      throw new RangeError(`must be true or false, and is ${shown(value)}`)
    },
    format: String,
  }
}

/** A TOML array, or the same parted by commas in a flag or variable; repeats are refused. */
export function listOf<T>(item: ValueKind<T>, most: number): ValueKind<readonly T[]> {
  return {
    syntax: `list of at most ${most}, each ${item.syntax}`,
    parse(value) {
      const parts: readonly unknown[] | undefined =
        typeof value === 'string' ? (value === '' ? [] : value.split(',').map((part) => part.trim())) : arrayOf(value)
      if (parts === undefined) throw new RangeError(`must be a list, and is ${shown(value)}`)
      if (parts.length > most) throw new RangeError(`may list at most ${most}, and lists ${parts.length}`)
      const items = parts.map((part) => item.parse(part))
      const repeated = items.find((one, index) => items.indexOf(one) !== index)
      if (repeated !== undefined) throw new RangeError(`lists ${item.format(repeated)} twice`)
      return items
    },
    format: (items) => `[${items.map((one) => item.format(one)).join(', ')}]`,
  }
}

/** Bytes: a whole number, or text with a unit such as `100 GiB` (powers of two) or `100 GB` (powers of ten). */
export function byteSize(least: number, most: number): ValueKind<number> {
  const range = `from ${sizeWords(least)} to ${sizeWords(most)}`
  return {
    syntax: `size ${range}, as bytes or with a unit (kB, KiB, MB, MiB, GB, GiB, TB, TiB)`,
    parse(value) {
      const bytes = typeof value === 'string' ? sizeOf(value) : value
      if (typeof bytes !== 'number' || !Number.isSafeInteger(bytes) || bytes < least || bytes > most) {
        throw new RangeError(`must be a size ${range} such as "100 GiB", and is ${shown(value)}`)
      }
      return bytes
    },
    format: (bytes) => JSON.stringify(sizeWords(bytes)),
  }
}

function sizeOf(written: string): number | undefined {
  const match = /^(\d{1,15}) ?([kKMGT]?i?B)?$/.exec(written)
  if (match === null) return undefined
  const factor = match[2] === undefined ? 1 : SIZE_UNITS.find(([unit]) => unit === match[2])?.[1]
  return factor === undefined ? undefined : Number(match[1]) * factor
}

function arrayOf(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? (value as unknown[]) : undefined
}

/** A refused value, short enough for a line. */
function shown(value: unknown): string {
  const json =
    JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner)) ?? 'nothing'
  return json.length <= 60 ? json : `${json.slice(0, 60)}…`
}
