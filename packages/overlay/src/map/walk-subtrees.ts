import { WeftError, compareBytes, equalBytes } from '@weft/core'
import { merkleRootOfLeaves } from '@weft/crypto'
import type { EntryList } from './entry-list.ts'
import type { MapBody } from './map-body.ts'
import { refuseEntries } from './map-entry.ts'
import { MAX_SUBTREES, type SubtreeAnswer, type SubtreeQuestion } from './subtree-question.ts'

/** What is known of a map after the walk. */
export interface WalkedMap {
  /** By position: bytes that are held already, or the leaf hash of an entry that is not. */
  readonly found: ({ readonly bytes: Uint8Array } | { readonly leaf: Uint8Array })[]
  /** Positions of those that are not, ascending. */
  readonly missing: readonly number[]
}

/** A node of the other's tree whose leaves are not all held. Its hash is verified, its bounds are only said. */
interface Node {
  readonly index: number
  readonly hash: Uint8Array
  /** Keys from here on, and before there; the last node has no end. */
  readonly from: Uint8Array
  readonly to: Uint8Array | undefined
}

/** Nodes of the level that is asked for first: not many, even though most of them are told in vain. */
const FIRST_NODES = 256
/** Levels from one question to the next. */
const STEP = 3
/** Whoever lacks more of the lowest nodes than this gets the map whole for less. */
const WORTH = 7 / 8
const HASH = 32

/**
 * Finds out which entries of a signed map a node lacks, by asking one that has it: range-based set reconciliation
 * (Meyer 2023, arXiv:2212.13567) in which the ranges are the subtrees of the map's Merkle tree and their hashes the
 * fingerprints. Every answer is verified against the signed root at once; a node of the tree is never asked for twice
 * and each question goes deeper, so that the walk ends, whatever the other side says. Yields questions, takes answers.
 * @throws WeftError E_MAP_ENTRIES on a wrong answer, E_MAP_TOO_DIFFERENT
 */
export function* walkSubtrees(
  held: EntryList,
  { root, count }: Pick<MapBody, 'root' | 'count'>,
): Generator<SubtreeQuestion, WalkedMap, SubtreeAnswer> {
  const found: WalkedMap['found'] = []
  let level = Math.ceil(Math.log2(count))
  let lacking: Node[] = [{ index: 0, hash: root, from: new Uint8Array(), to: undefined }]
  let below = level
  while (below > 0 && width(count, below - 1) <= FIRST_NODES) below--
  while (level > 0) {
    const deeper: Node[] = []
    const batch = Math.max(1, Math.floor(MAX_SUBTREES / 2 ** (level - below)))
    for (let at = 0; at < lacking.length; at += batch) {
      const asked = lacking.slice(at, at + batch)
      const answer = yield { level, below, nodes: asked.map(({ index }) => index) }
      for (const node of readAnswer(answer, asked, level, below, count)) {
        if (!takeHeld(held, node, below, count, found)) deeper.push(node)
      }
    }
    lacking = deeper
    level = below
    below = Math.max(0, below - STEP)
    if (level <= STEP && lacking.length > width(count, level) * WORTH) throw tooDifferent(count)
  }
  for (const { index, hash } of lacking) found[index] = { leaf: hash }
  return { found, missing: lacking.map(({ index }) => index) }
}

/** Nodes of a level of the tree over `count` leaves. */
function width(count: number, level: number): number {
  return Math.ceil(count / 2 ** level)
}

/** The nodes that an answer tells of, once they were found to make up those that were asked for. @throws WeftError E_MAP_ENTRIES */
function* readAnswer(
  { hashes, starts }: SubtreeAnswer,
  asked: readonly Node[],
  level: number,
  below: number,
  count: number,
): Generator<Node> {
  const fan = 2 ** (level - below)
  const sizes = asked.map(({ index }) => Math.min(fan, width(count, below) - index * fan))
  const total = sizes.reduce((sum, size) => sum + size, 0)
  if (hashes.length !== total * HASH || starts.length !== (below === 0 ? 0 : total)) {
    throw refuseEntries(`${hashes.length} bytes of hashes and ${starts.length} keys tell of ${total} nodes of its tree`)
  }
  let at = 0
  for (const [which, node] of asked.entries()) {
    const size = sizes[which] as number
    const children = Array.from({ length: size }, (_, child) =>
      hashes.slice((at + child) * HASH, (at + child + 1) * HASH),
    )
    if (!equalBytes(merkleRootOfLeaves(children), node.hash)) throw refuseEntries('a node of its tree has another hash')
    const bounds = below === 0 ? undefined : starts.slice(at, at + size)
    if (bounds !== undefined && !areWithin(bounds, node)) throw refuseEntries('the nodes of its tree are not in order')
    for (const [child, hash] of children.entries()) {
      const from = bounds?.[child] ?? node.from
      const to = bounds === undefined ? node.to : (bounds[child + 1] ?? node.to)
      yield { index: node.index * fan + child, hash, from, to }
    }
    at += size
  }
}

/** Whether bounds begin where the node does, ascend, and end before it does. */
function areWithin(bounds: readonly Uint8Array[], { from, to }: Node): boolean {
  return bounds.every((bound, at) => {
    if (at === 0) return equalBytes(bound, from)
    const isBehind = compareBytes(bound, bounds[at - 1] as Uint8Array) > 0
    return isBehind && (to === undefined || compareBytes(bound, to) < 0)
  })
}

/** Takes the entries under a node from those that are held, when they are the same. */
function takeHeld(held: EntryList, node: Node, level: number, count: number, found: WalkedMap['found']): boolean {
  const first = node.index * 2 ** level
  const size = Math.min(2 ** level, count - first)
  const start = held.firstFrom(node.from)
  const end = node.to === undefined ? held.count : held.firstFrom(node.to)
  const own = held.entries.slice(start, end)
  if (level === 0) {
    const same = own.find(({ leaf }) => equalBytes(leaf, node.hash))
    if (same === undefined) return false
    found[first] = same
    return true
  }
  if (own.length !== size || !equalBytes(merkleRootOfLeaves(own.map(({ leaf }) => leaf)), node.hash)) return false
  for (const [at, entry] of own.entries()) found[first + at] = entry
  return true
}

function tooDifferent(count: number): WeftError {
  return new WeftError({
    code: 'E_MAP_TOO_DIFFERENT',
    cause: `The map of ${count} entries has little in common with the one that is held.`,
    fix: 'Nothing to do: it is fetched whole.',
    retryable: true,
  })
}
