import { WeftError, throwIfAborted } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import type { Member } from '@weft/overlay'
import type { ShardClient } from '../holder/shard-client.ts'
import { placeShards } from '../placement/place-shards.ts'
import type { StorageClass } from '../storage.ts'
import type { HolderLinks } from './holder-links.ts'
import { STORAGE_CLASSES } from './storage-class.ts'
import { type ObjectContext, isReachable, storageMembers } from './object-context.ts'

/**
 * Chooses the n holders of an object and opens a stream to each, before a byte is sent. One that does not answer is
 * replaced until all n are open or too few are left.
 * @throws WeftError E_CLASS_UNAVAILABLE, E_ABORTED
 */
export async function openHolders(
  context: ObjectContext,
  links: HolderLinks,
  object: Uint8Array,
  stored: StorageClass,
  signal: AbortSignal,
): Promise<readonly { readonly member: Member; readonly client: ShardClient }[]> {
  for (;;) {
    throwIfAborted(signal)
    const members = storageMembers(context)
    const usable = members.filter((member) => !links.failed(member.id))
    const likely = usable.filter((member) => isReachable(context, member))
    // A node that came back a moment ago may still count as unreachable: it is tried where the others do not suffice.
    const placement = placeShards(object, stored, likely) ?? placeShards(object, stored, usable)
    if (placement === undefined) {
      throw unavailable(
        stored,
        members,
        members.filter((member) => !usable.includes(member)),
        context.isPrivate,
      )
    }
    const opened = await Promise.allSettled(placement.holders.map((member) => links.client(member.id)))
    const clients = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    if (clients.length === stored.n) {
      return placement.holders.map((member, at) => ({ member, client: clients[at] as ShardClient }))
    }
  }
}

function unavailable(
  stored: StorageClass,
  members: readonly Member[],
  unreachable: readonly Member[],
  isPrivate: boolean,
): WeftError {
  const names = unreachable.map((member) => `…${shortId(member.id)}`).join(', ')
  const lost = unreachable.length === 0 ? '' : `; unreachable: ${names}`
  return new WeftError({
    code: 'E_CLASS_UNAVAILABLE',
    cause: `Class ${stored.name} needs ${stored.n} storage nodes; the network has ${members.length}, of which ${members.length - unreachable.length} can be reached${isPrivate ? ' over a route' : ''}${lost}.`,
    fix: [
      ...smallerClass(stored, members.length - unreachable.length),
      ...bringBack(unreachable),
      ...(isPrivate && members.length >= stored.n ? [OPENLY] : []),
    ].join(' Or: '),
    retryable: true,
    details: {
      class: stored.name,
      needed: stored.n,
      members: members.length,
      unreachable: unreachable.map((member): DidKey => member.id),
    },
  })
}

/** Never done by itself. */
const OPENLY = 'Put it without --private, by which its holders see the address of this node.'

/** A class that this network can hold now, where there is one. */
function smallerClass({ n }: StorageClass, reachable: number): string[] {
  const fitting = STORAGE_CLASSES.findLast((other) => other.n < n && other.n <= reachable)
  return fitting === undefined ? [] : [`Choose a smaller class (--class ${fitting.name}).`]
}

function bringBack(unreachable: readonly Member[]): string[] {
  return unreachable.length === 0
    ? ['Wait until the network has more storage nodes (`weft members` shows them).']
    : ['Bring the unreachable nodes back (`weft members` shows them).']
}
