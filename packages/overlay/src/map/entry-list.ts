import { compareBytes } from '@weft/core'
import type { DidKey, MerkleTree } from '@weft/crypto'
import type { Member } from '../member.ts'
import type { MapEntry } from './map-entry.ts'

/** The entries of one map with what is looked up in them. Never changes; the next map's list shares what is the same. */
export class EntryList {
  /** At least one, sorted by key, no key twice. */
  readonly entries: readonly MapEntry[]
  readonly tree: MerkleTree
  readonly members: readonly Member[]
  readonly #byId: ReadonlyMap<DidKey, Member>
  #positions: ReadonlyMap<Member, number> | undefined
  #bytes: readonly Uint8Array[] | undefined
  #placed: number | undefined

  /** @param entries at least one, sorted by key, no key twice; `tree` is over their leaves */
  constructor(entries: readonly MapEntry[], tree: MerkleTree) {
    this.entries = entries
    this.tree = tree
    this.members = entries.map(({ member }) => member)
    this.#byId = new Map(this.members.map((member) => [member.id, member]))
  }

  get count(): number {
    return this.entries.length
  }

  /** Entries that have a position by beacon. */
  get placed(): number {
    return (this.#placed ??= this.members.filter(({ position }) => position !== undefined).length)
  }

  /** 32 bytes */
  get root(): Uint8Array {
    return this.tree.root
  }

  member(id: DidKey): Member | undefined {
    return this.#byId.get(id)
  }

  /** Where a member of `members` has its entry. */
  position(member: Member): number | undefined {
    this.#positions ??= new Map(this.members.map((each, at) => [each, at]))
    return this.#positions.get(member)
  }

  /** The bytes of all entries; the same array every time. */
  bytes(): readonly Uint8Array[] {
    return (this.#bytes ??= this.entries.map(({ bytes }) => bytes))
  }

  /** The entry of a key. */
  byKey(key: Uint8Array): MapEntry | undefined {
    const entry = this.entries[this.firstFrom(key)]
    return entry !== undefined && compareBytes(entry.key, key) === 0 ? entry : undefined
  }

  /** The position of the first entry whose key is `bound` or behind it; `bound` may be the beginning of a key. */
  firstFrom(bound: Uint8Array): number {
    let low = 0
    let high = this.entries.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (compareBytes((this.entries[middle] as MapEntry).key, bound) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}
