import { WeftError, isDiskFull, messageOf } from '@weft/core'
import { type ShardName, describeShard } from '../holder/shard-name.ts'

/** Any error of the file system as one of Weft's; a WeftError passes through. */
export function diskError(error: unknown, what: string): WeftError {
  if (error instanceof WeftError) return error
  if (isDiskFull(error)) return diskFull(`there was no space left while ${what}`)
  return new WeftError({
    code: 'E_DISK',
    cause: `The disk failed while ${what}: ${messageOf(error)}.`,
    fix: "Check the disk and the rights of the node's state directory; see the log of the node.",
    origin: error,
  })
}

export function diskFull(why: string): WeftError {
  return noRoom(
    'E_DISK_FULL',
    why,
    "Free space on the holder's disk, or lower its reserve (storage.reserve in weft.toml)",
  )
}

export function quotaExceeded(why: string): WeftError {
  return noRoom('E_QUOTA', why, "Raise the holder's quota (storage.quota in weft.toml)")
}

/** The part for nodes outside of the map is taken, or one of them asks for too much of it. */
export function shareExceeded(why: string): WeftError {
  return noRoom(
    'E_QUOTA',
    why,
    "Put from a node that is in the map, or raise the holder's quota (storage.quota in weft.toml)",
  )
}

function noRoom(code: string, why: string, remedy: string): WeftError {
  return new WeftError({
    code,
    cause: `The holder cannot take the shard: ${why}.`,
    fix: `${remedy}; meanwhile other holders take it.`,
    retryable: true,
  })
}

export function notFound(name: ShardName): WeftError {
  return new WeftError({
    code: 'E_SHARD_NOT_FOUND',
    cause: `This holder has no ${describeShard(name)}.`,
    fix: 'Nothing to do: the shard is taken from another holder.',
  })
}

export function corrupt(name: ShardName): WeftError {
  return new WeftError({
    code: 'E_SHARD_CORRUPT',
    cause: `A checksum of ${describeShard(name)} does not fit what the disk gives back.`,
    fix: 'Nothing to do for the reader: the shard is taken from another holder. The operator should check the disk.',
  })
}

/** @param until ms since the epoch. */
export function removed(until: number): WeftError {
  return new WeftError({
    code: 'E_OBJECT_REMOVED',
    cause: `The owner of this object removed it; this holder refuses it until ${new Date(until).toISOString()}.`,
    fix: 'Put the data as a new object.',
  })
}

export function alreadyHeld(name: ShardName): WeftError {
  return new WeftError({
    code: 'E_SHARD_EXISTS',
    cause: `This holder has ${describeShard(name)} already.`,
    fix: 'Release the object first; a committed shard is never replaced.',
  })
}
