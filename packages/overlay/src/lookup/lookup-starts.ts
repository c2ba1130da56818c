import { type Random, randomInt, shuffled } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { Membership } from '../member.ts'
import type { Network } from '../network/network.ts'

export interface LookupStartsInit {
  readonly self: DidKey
  readonly network: Network
  readonly membership: Membership
  /** Nodes with an open connection. */
  readonly connected: () => readonly DidKey[]
  readonly random: Random
}

/** Nodes that a lookup may begin with: four times as many as it has paths. */
const MAX_STARTS = 32

/**
 * Whom a lookup begins with: two validators, a node with a connection and a member of the own map in turn, each kind at
 * random. Validators come from the network file: whoever hears only nodes of an attacker finds honest ones among them.
 */
export function lookupStarts({ self, network, membership, connected, random }: LookupStartsInit): readonly DidKey[] {
  const validators = shuffled(
    random,
    network.validators.map(({ id }) => id),
  )
  const others = shuffled(random, connected())
  const members = membership.members()
  const starts = new Set<DidKey>()
  for (let at = 0; at < MAX_STARTS; at++) {
    const member = members.length === 0 ? undefined : members[randomInt(random, members.length)]?.id
    for (const id of [validators[2 * at], validators[2 * at + 1], others[at], member]) {
      if (id !== undefined && id !== self) starts.add(id)
    }
  }
  return [...starts].slice(0, MAX_STARTS)
}
