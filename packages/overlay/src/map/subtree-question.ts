import { WeftError } from '@weft/core'
import type { EntryList } from './entry-list.ts'
import { MAX_UNPACKED } from './packed-message.ts'

/** Asks for the nodes of level `below` under each of `nodes`, which are of level `level` (docs/specs/map.md, Comparing it). */
export interface SubtreeQuestion {
  readonly level: number
  readonly below: number
  /** Ascending. */
  readonly nodes: readonly number[]
}

export interface SubtreeAnswer {
  /** 32 bytes each. */
  readonly hashes: Uint8Array
  /** Of each node the least key that belongs to it, shortened to what tells it from the key before; none for leaves. */
  readonly starts: readonly Uint8Array[]
}

/** Nodes in one answer. */
export const MAX_SUBTREES = 4_096
/** Positions in one request for single entries. */
export const MAX_PICKED = 2_048
const HASH = 32
const ENTRY_OVERHEAD = 4

/** @throws WeftError E_MAP_QUESTION */
export function answerSubtrees({ tree, entries }: EntryList, { level, below, nodes }: SubtreeQuestion): SubtreeAnswer {
  if (level > tree.height || below >= level) throw refuse(`level ${below} below ${level} of ${tree.height}`)
  checkAscending(nodes, tree.width(level))
  const fan = 2 ** (level - below)
  if (nodes.length * Math.min(fan, tree.width(below)) > MAX_SUBTREES) throw refuse('more nodes than an answer may have')
  const found = nodes.flatMap((node) => {
    const first = node * fan
    return Array.from({ length: Math.min(fan, tree.width(below) - first) }, (_, at) => first + at)
  })
  const hashes = new Uint8Array(found.length * HASH)
  found.forEach((node, at) => hashes.set(tree.node(below, node), at * HASH))
  const startOf = (position: number): Uint8Array => separator(entries[position - 1]?.key, entries[position]?.key)
  return { hashes, starts: below === 0 ? [] : found.map((node) => startOf(node * 2 ** below)) }
}

/** The entries at ascending positions, as many of the first as fit an answer. @throws WeftError E_MAP_QUESTION */
export function pickEntries({ entries, count }: EntryList, positions: readonly number[]): Uint8Array[] {
  if (positions.length > MAX_PICKED) throw refuse(`${positions.length} positions`)
  checkAscending(positions, count)
  const picked: Uint8Array[] = []
  let room = MAX_UNPACKED
  for (const position of positions) {
    const bytes = entries[position]?.bytes as Uint8Array
    room -= bytes.length + ENTRY_OVERHEAD
    if (room < 0) break
    picked.push(bytes)
  }
  return picked
}

/** The shortest beginning of `key` that is behind `previous`; nothing when there is none before. */
function separator(previous: Uint8Array | undefined, key: Uint8Array | undefined): Uint8Array {
  if (previous === undefined || key === undefined) return new Uint8Array()
  return key.subarray(0, key.findIndex((byte, at) => byte !== previous[at]) + 1)
}

function checkAscending(numbers: readonly number[], below: number): void {
  let previous = -1
  for (const number of numbers) {
    if (number <= previous || number >= below) throw refuse(`${number} after ${previous}, of ${below}`)
    previous = number
  }
}

function refuse(what: string): WeftError {
  return new WeftError({
    code: 'E_MAP_QUESTION',
    cause: `A question about the entries of a map asks for what is not there, or too much: ${what}.`,
    fix: 'The asking node has to follow docs/specs/map.md; update the older of the two sides.',
  })
}
