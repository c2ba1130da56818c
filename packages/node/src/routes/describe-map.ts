import type * as z from 'zod'
import { toHex } from '@weft/core'
import type { Overlay } from '@weft/overlay'
import type { mapStatus } from './schemas.ts'

/** The newest signed map, its bytes in hex. */
export function describeMap({ membership }: Pick<Overlay, 'membership'>): z.output<typeof mapStatus> {
  const { beacon, ...status } = membership.status()
  if (beacon === undefined) return status
  const { epoch, previous, value } = beacon
  return { ...status, beacon: { epoch, previous, value: toHex(value) } }
}
