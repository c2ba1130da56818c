import { WeftError } from '@weft/core'
import { MAX_SHARD_LENGTH, MAX_SHARD_MESSAGE, type ShardRequest, ShardRequestSchema, decodeMessage } from '@weft/wire'
import type { CommitAuthorization, ReleaseAuthorization, RemoveAuthorization } from './shard-authorization.ts'
import type { ShardName } from './shard-name.ts'

/** Segments that one ShardStat may ask about. */
const MAX_STAT_SEGMENTS = 4096
/** Shards of one segment at most (docs/specs/objects.md: the largest class has 80; GF(2^8) ends at 256). */
const MAX_INDEX = 255

export type ParsedRequest =
  | { readonly kind: 'put'; readonly name: ShardName; readonly length: number; readonly authorization: Uint8Array }
  | { readonly kind: 'keep'; readonly name: ShardName; readonly length: number }
  | { readonly kind: 'get'; readonly name: ShardName }
  | { readonly kind: 'stat'; readonly object: Uint8Array; readonly first: number; readonly count: number }
  | { readonly kind: 'commit'; readonly authorization: CommitAuthorization }
  | { readonly kind: 'release'; readonly authorization: ReleaseAuthorization }
  | { readonly kind: 'remove'; readonly authorization: RemoveAuthorization }

/**
 * Reads one request within limits. Signatures are checked when it is carried out.
 * @throws WeftError E_REQUEST_INVALID, E_SHARD_TOO_LARGE, and those of decodeMessage
 */
export function parseShardRequest(frame: Uint8Array): ParsedRequest {
  const { body } = decodeMessage(ShardRequestSchema, frame, MAX_SHARD_MESSAGE)
  switch (body.case) {
    case 'put': {
      const { name, length, authorization } = body.value
      return { kind: 'put', name: nameOf(name), length: lengthOf(length), authorization }
    }
    case 'keep':
      return { kind: 'keep', name: nameOf(body.value.name), length: lengthOf(body.value.length) }
    case 'get':
      return { kind: 'get', name: nameOf(body.value.name) }
    case 'stat': {
      const { object, firstSegment: first, count } = body.value
      if (count < 1 || count > MAX_STAT_SEGMENTS)
        throw invalid(`it asks about ${count} segments; 1 to ${MAX_STAT_SEGMENTS} are allowed`)
      return { kind: 'stat', object: objectOf(object), first, count }
    }
    case 'commit':
    case 'remove': {
      const { object, expiresAt, signature } = body.value
      if (expiresAt > BigInt(Number.MAX_SAFE_INTEGER)) throw invalid('its expiry is above 2^53 - 1')
      return { kind: body.case, authorization: { object: objectOf(object), expiresAt: Number(expiresAt), signature } }
    }
    case 'release':
      return {
        kind: 'release',
        authorization: { object: objectOf(body.value.object), signature: body.value.signature },
      }
    case undefined:
      throw invalid('it is empty')
  }
}

type NameMessage = Extract<ShardRequest['body'], { case: 'put' }>['value']['name']

function nameOf(name: NameMessage): ShardName {
  if (name === undefined) throw invalid('it names no shard')
  const { object, segment, index } = name
  if (index > MAX_INDEX) throw invalid(`its index ${index} is above ${MAX_INDEX}`)
  // A copy: the frame may share its memory with a whole chunk of the stream.
  return { object: objectOf(object).slice(), segment, index }
}

function objectOf(object: Uint8Array): Uint8Array {
  if (object.length !== 32) throw invalid(`its object has ${object.length} bytes in place of 32`)
  return object
}

function lengthOf(length: bigint): number {
  if (length === 0n) throw invalid('its shard has no bytes')
  if (length <= BigInt(MAX_SHARD_LENGTH)) return Number(length)
  throw new WeftError({
    code: 'E_SHARD_TOO_LARGE',
    cause: `A shard of ${length} bytes was announced; the limit is ${MAX_SHARD_LENGTH}.`,
    fix: 'Cut the object into smaller segments (docs/specs/objects.md).',
  })
}

function invalid(why: string): WeftError {
  return new WeftError({
    code: 'E_REQUEST_INVALID',
    cause: `The shard request cannot be carried out: ${why}.`,
    fix: 'The caller has to follow docs/specs/shards.md; update the older of the two sides.',
  })
}
