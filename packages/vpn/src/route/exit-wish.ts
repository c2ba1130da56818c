import { WeftError, printable } from '@weft/core'
import { type DidKey, isDidKey } from '@weft/crypto'
import { REGIONS, type Region, isRegion } from './regions.ts'
import type { RouteMember } from './route-member.ts'

/** Which exit a user asks for (docs/specs/routes.md, Exit wish). */
export type ExitWish =
  | { readonly kind: 'auto' }
  | { readonly kind: 'nearest' }
  | { readonly kind: 'random' }
  /** ISO 3166-1 alpha-2, in capitals. */
  | { readonly kind: 'country'; readonly country: string }
  | { readonly kind: 'region'; readonly region: Region }
  | { readonly kind: 'node'; readonly id: DidKey }
  /** The end of a node's id, as lists print it; {@link namedExit} finds the one member that it is of. */
  | { readonly kind: 'suffix'; readonly suffix: string }

const WORDS = ['auto', 'nearest', 'random'] as const
/** Letters of an id's end: more than a region has, fewer than a whole id behind its `did:key:z`. */
const SUFFIX = /^[1-9A-HJ-NP-Za-km-z]{5,47}$/
const MAX_QUOTED = 64

/**
 * Reads `auto`, `nearest`, `random`, a country in capitals (`DE`), a region in small letters (`eu`), the whole id of a node, or its last 5 to 47
 * letters. Capitals tell a country from a region: `SA` is Saudi Arabia, `sa` South America.
 * @throws WeftError E_EXIT_WISH
 */
export function parseExitWish(text: string): ExitWish {
  for (const kind of WORDS) if (text === kind) return { kind }
  if (/^[A-Z]{2}$/.test(text)) return { kind: 'country', country: text }
  if (isRegion(text)) return { kind: 'region', region: text }
  if (text.length <= MAX_QUOTED && isDidKey(text)) return { kind: 'node', id: text }
  // A word in other letters is a slip rather than the end of an id.
  const isWord = WORDS.some((word) => word === text.toLowerCase())
  if (SUFFIX.test(text) && !isWord) return { kind: 'suffix', suffix: text }
  throw new WeftError({
    code: 'E_EXIT_WISH',
    cause: `'${printable(text.slice(0, MAX_QUOTED))}' is no exit that can be asked for${hintFor(text)}.`,
    fix: `Give auto, nearest, random, a country in capitals (DE), a region (${REGIONS.join(', ')}), the id of a node, or the last 5 or more letters of one as weft members prints it.`,
  })
}

/** What {@link parseExitWish} reads as the same wish. */
export function formatExitWish(wish: ExitWish): string {
  switch (wish.kind) {
    case 'country':
      return wish.country
    case 'region':
      return wish.region
    case 'node':
      return wish.id
    case 'suffix':
      return wish.suffix
    case 'auto':
    case 'nearest':
    case 'random':
      return wish.kind
  }
}

/**
 * The wish with the member that a suffix names; all others as they are.
 * @throws WeftError E_NODE_NOT_FOUND where it names none or several
 */
export function namedExit(
  wish: ExitWish,
  members: readonly Pick<RouteMember, 'id'>[],
): Exclude<ExitWish, { kind: 'suffix' }> {
  if (wish.kind !== 'suffix') return wish
  const [match, other] = members.filter(({ id }) => id.endsWith(wish.suffix))
  if (match !== undefined && other === undefined) return { kind: 'node', id: match.id }
  throw new WeftError({
    code: 'E_NODE_NOT_FOUND',
    cause:
      match === undefined
        ? `No member that carries packets has an id that ends in '${wish.suffix}'.`
        : `The ids of several members end in '${wish.suffix}'.`,
    fix: 'Give more of the id, or all of it, as weft members --long prints it.',
  })
}

/** What was meant by a text that is no wish, as the end of a sentence; empty where nothing is known. */
export function hintFor(text: string): string {
  const upper = text.toUpperCase()
  if (/^[A-Z]{2}$/.test(upper)) return isRegion(text.toLowerCase()) ? '' : `; a country is written ${upper}`
  const lower = text.toLowerCase()
  if (WORDS.some((word) => word === lower) || isRegion(lower)) return `; ${lower} is written in small letters`
  return ''
}
