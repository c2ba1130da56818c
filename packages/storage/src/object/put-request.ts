import { WeftError, fromUtf8, utf8 } from '@weft/core'
import { MAX_STRANGER_LIFETIME_MS } from '@weft/overlay'
import type { PutOptions } from '../storage.ts'

const DAY_MS = 24 * 60 * 60_000
/** How long an object is kept if its owner does not say, ms. */
const DEFAULT_TTL_MS = 30 * DAY_MS
const MAX_TTL_MS = 365 * DAY_MS
/** The same from a node outside of the map, whose word holders take for less; a day is left for clocks that are off. */
const MAX_STRANGER_TTL_MS = MAX_STRANGER_LIFETIME_MS - DAY_MS
const MIN_TTL_MS = 60_000
/** Bytes of UTF-8. */
const MAX_NAME = 1024

/** The longest life that a put may ask for, ms. @param isMember whether this node is in the map. */
export function longestTtl(isMember: boolean): number {
  return isMember ? MAX_TTL_MS : MAX_STRANGER_TTL_MS
}

/**
 * The checked options of a put.
 * @param isMember whether this node is in the map. @throws WeftError E_PUT_OPTION naming the field and what is valid.
 */
export function putRequest(options: PutOptions, object: string, isMember: boolean): { name: string; ttlMs: number } {
  const name = options.name ?? object.slice(0, 8)
  const ttlMs = options.ttlMs ?? DEFAULT_TTL_MS
  const { size } = options
  checkTtl(ttlMs, isMember)
  if (size !== undefined && (!Number.isSafeInteger(size) || size < 0)) {
    throw wrong('size', String(size), 'a whole number of bytes')
  }
  const bytes = utf8(name)
  if (bytes.length === 0 || bytes.length > MAX_NAME || fromUtf8(bytes) !== name) {
    throw wrong('name', `${bytes.length} bytes`, `1 to ${MAX_NAME} bytes of well-formed text`)
  }
  return { name, ttlMs }
}

/** @param ttlMs from now. @param isMember as of {@link putRequest} @throws WeftError E_PUT_OPTION */
export function checkTtl(ttlMs: number, isMember: boolean): void {
  if (!Number.isSafeInteger(ttlMs) || ttlMs < MIN_TTL_MS || ttlMs > MAX_TTL_MS) {
    throw wrong('ttlMs', String(ttlMs), `a whole number of milliseconds from ${MIN_TTL_MS} to ${MAX_TTL_MS} (365 days)`)
  }
  if (!isMember && ttlMs > MAX_STRANGER_TTL_MS) {
    const days = MAX_STRANGER_TTL_MS / DAY_MS
    throw wrong(
      'ttlMs',
      `${ttlMs}, and this node is not in the map`,
      `at most ${days} days, or put from a node that is`,
    )
  }
}

function wrong(field: string, given: string, valid: string): WeftError {
  return new WeftError({
    code: 'E_PUT_OPTION',
    cause: `${field} is ${given}.`,
    fix: `Give ${valid}.`,
    details: { field },
  })
}
