import type { ValueKind } from './value-kind.ts'

/** One setting: the table of these is the only source of parsing, `weft config explain` and docs/configuration.md. */
export interface Setting<T> {
  readonly kind: ValueKind<T>
  /** Undefined: not set; `absent` says what that means. */
  readonly fallback: T | undefined
  readonly absent?: string
  /** What it does, in a sentence or two. */
  readonly summary: string
  /** The flag of the daemon, without the dashes, where there is one. */
  readonly flag?: string
}

/** A setting that always has a value. */
export function setting<T>(
  kind: ValueKind<T>,
  fallback: T,
  summary: string,
  flag?: string,
): Setting<T> & { readonly fallback: T } {
  return { kind, fallback, summary, ...(flag === undefined ? {} : { flag }) }
}

/** A setting that may be left out. */
export function optional<T>(
  kind: ValueKind<T>,
  absent: string,
  summary: string,
  flag?: string,
): Setting<T> & { readonly fallback: undefined } {
  return { kind, fallback: undefined, absent, summary, ...(flag === undefined ? {} : { flag }) }
}
