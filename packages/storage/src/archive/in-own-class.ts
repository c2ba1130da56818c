import { isWeftError } from '@weft/core'
import type { StorageClass } from '../storage.ts'
import type { TarMember } from './tar-reader.ts'

/** Puts in the class that it had, or where this network has not so many nodes, in the one that it has for it. */
export async function inOwnClass<T>(
  member: Pick<TarMember, 'read'>,
  className: StorageClass['name'] | undefined,
  put: (className: StorageClass['name'] | undefined) => Promise<T>,
): Promise<T> {
  try {
    return await put(className)
  } catch (error) {
    // It is refused before its first byte is taken.
    const isUnavailable = isWeftError(error, 'E_CLASS_UNAVAILABLE') && member.read === 0
    if (!isUnavailable || className === undefined) throw error
    return put(undefined)
  }
}
