import { WeftError } from '@weft/core'
import { type DidKey, isDidKey } from '@weft/crypto'

/** An entry that this client drew once, and keeps. */
export interface Guard {
  readonly id: DidKey
  /** ms since the Unix epoch, up to 12 days before it was drawn or first answered: from then on its time counts. */
  readonly since: number
  /** It answered once. */
  readonly confirmed: boolean
  /** ms since the Unix epoch: since when it is no entry of the signed map. */
  readonly unlistedSince: number | undefined
}

/** What a client keeps of its guards from one start to the next (docs/specs/routes.md, Guards). */
export interface GuardState {
  /** At most {@link MAX_SAMPLED}: those that answered, in the order in which they did first, then the others as they were drawn. */
  readonly guards: readonly Guard[]
  /** ms since the Unix epoch: when one was given up last. */
  readonly lastLeft: number | undefined
}

/** Guards that a client has at the same time, those that left the map included. */
export const MAX_SAMPLED = 20
const MAX_CHARACTERS = 16_384
const VERSION = 1
const GUARD_KEYS = 'confirmed,id,since,unlistedSince'
const STATE_KEYS = 'guards,lastLeft,version'

/** The text of a state, as it is kept: JSON with a line's end. */
export function formatGuardState({ guards, lastLeft }: GuardState): string {
  const all = guards.map(({ id, since, confirmed, unlistedSince }) => ({
    id,
    since,
    confirmed,
    unlistedSince: unlistedSince ?? null,
  }))
  return `${JSON.stringify({ version: VERSION, lastLeft: lastLeft ?? null, guards: all }, null, 2)}\n`
}

/**
 * @param path where it was read, for the error
 * @throws WeftError E_STATE_CORRUPT for all that {@link formatGuardState} does not write
 */
export function parseGuardState(text: string, path: string): GuardState {
  try {
    return readState(text)
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    throw new WeftError({
      code: 'E_STATE_CORRUPT',
      cause: `The guards of this node's routes (${path}) cannot be read: ${error.message}.`,
      fix: `Put the file back from a copy. Where there is none: rm ${path}. Other guards are drawn then, which is what guards are to avoid.`,
    })
  }
}

class Malformed extends Error {}

function readState(text: string): GuardState {
  if (text.length > MAX_CHARACTERS) throw new Malformed(`it has ${text.length} characters, more than ${MAX_CHARACTERS}`)
  const { version, lastLeft, guards } = record(parsed(text), STATE_KEYS, 'it')
  if (version !== VERSION) throw new Malformed(`its version is not ${VERSION}`)
  if (!Array.isArray(guards) || guards.length > MAX_SAMPLED)
    throw new Malformed(`it is no list of at most ${MAX_SAMPLED} guards`)
  const read = guards.map(readGuard)
  if (new Set(read.map(({ id }) => id)).size !== read.length) throw new Malformed('a guard stands there twice')
  const firstOther = read.findIndex(({ confirmed }) => !confirmed)
  if (firstOther >= 0 && read.slice(firstOther).some(({ confirmed }) => confirmed))
    throw new Malformed('one that answered stands behind one that did not')
  return { guards: read, lastLeft: lastLeft === null ? undefined : time(lastLeft) }
}

function readGuard(value: unknown): Guard {
  const { id, since, confirmed, unlistedSince } = record(value, GUARD_KEYS, 'a guard')
  if (typeof id !== 'string' || !isDidKey(id)) throw new Malformed('a guard has no id')
  if (typeof confirmed !== 'boolean') throw new Malformed('of a guard it is not said whether it answered')
  return { id, since: time(since), confirmed, unlistedSince: unlistedSince === null ? undefined : time(unlistedSince) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Malformed('it is no JSON')
  }
}

function record(value: unknown, keys: string, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Object.keys(value).toSorted().join() !== keys)
    throw new Malformed(`${what} has not the members ${keys}`)
  return value as Record<string, unknown>
}

function time(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new Malformed('a time is none')
  return value
}
