import { compareBytes, utf8 } from '@weft/core'
import { type DidKey, sha256 } from '@weft/crypto'
import type { Member } from '../member.ts'
import { isRelay } from './is-relay.ts'

/**
 * The relays that a node asks, best first: every member that relays, in an order of its own, so that nodes spread over
 * the relays; the first of each operator family before the second of any, so that no one operator has all its ways in.
 */
export function chooseRelays(self: DidKey, members: readonly Member[]): readonly Member[] {
  const ranked = members
    .filter((member) => member.id !== self && isRelay(member))
    .map((member) => ({ member, rank: sha256(utf8(`weft:relay:v1\0${self}${member.id}`)) }))
    .sort((a, b) => compareBytes(a.rank, b.rank))
    .map(({ member }) => member)
  const seen = new Map<string, number>()
  const turns = ranked.map((member) => {
    const turn = seen.get(member.family) ?? 0
    seen.set(member.family, turn + 1)
    return { member, turn }
  })
  return turns.toSorted((a, b) => a.turn - b.turn).map(({ member }) => member)
}
