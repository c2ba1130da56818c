import { fromBase64Url, toBase64Url } from '@weft/core'
import { wipe } from '@weft/crypto'
import type { ObjectIndex } from '../object/object-index.ts'
import type { Storage } from '../storage.ts'
import type { BucketsOptions } from './open-buckets.ts'

/** How buckets hand the ownership of objects from one machine of a person to the next: by the list of own objects. */
export function ownObjects(
  storage: Pick<Storage, 'removal'>,
  index: ObjectIndex,
): Pick<BucketsOptions, 'ownOf' | 'adopt'> {
  return {
    ownOf: (object) => {
      const stored = index.get(object)
      const seed = index.seedOf(object)
      if (stored === undefined || seed === undefined) return undefined
      const { class: name, createdAt, expiresAt } = stored
      const own = { seed: toBase64Url(seed), class: name, createdAt, expiresAt }
      wipe(seed)
      return own
    },
    adopt: ({ object, ref, size, own: { seed, ...own } }, name) => {
      if (index.get(object) !== undefined || storage.removal(object) !== undefined) return
      index.add({ object, ref, name, size, ...own, private: false }, fromBase64Url(seed), undefined)
    },
  }
}
