import type { WeftError } from '@weft/core'
import { type DidKey, fromDidKey } from '@weft/crypto'
import type { Member } from '@weft/overlay'
import type { PutAuthorization } from '../holder/shard-authorization.ts'
import type { ShardClient } from '../holder/shard-client.ts'

/** A holder of a put, with the stream that its shards are provisional on. */
export interface OpenHolder {
  readonly member: Member
  readonly id: DidKey
  /** Its public key. */
  readonly key: Uint8Array
  readonly client: ShardClient
  /** Fires when it falls out or its stream is given up, and with the put. */
  readonly signal: AbortSignal
  readonly giveUp: (error: WeftError) => void
  /** Its former stream of this put broke. */
  readonly isReopened: boolean
  /** It acknowledged something on this stream. */
  served: boolean
}

/** @param put fires when the put ends; the holder's signal does, too. */
export function openHolder(
  member: Member,
  client: ShardClient,
  authorization: PutAuthorization,
  put: AbortSignal,
  isReopened: boolean,
): OpenHolder {
  const gone = new AbortController()
  client.authorize(authorization)
  return {
    member,
    id: member.id,
    key: fromDidKey(member.id),
    client,
    signal: AbortSignal.any([put, gone.signal]),
    giveUp: (error) => gone.abort(error),
    isReopened,
    served: false,
  }
}

/** What is said of a holder that failed without a reason of its own. */
export const UNUSABLE = {
  code: 'E_STREAM_RESET',
  cause: 'The holder could not be used.',
  fix: 'Look at it with `weft ping`, then put it again.',
}
