import { WeftError } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import type { LeaseBody } from './lease-body.ts'

/** A lease counts for who holds its key, and is brought by nobody else. @throws WeftError E_LEASE_SIGNER */
export function requireOwnLease({ id }: Pick<LeaseBody, 'id'>, caller: DidKey): void {
  if (id === caller) return
  throw new WeftError({
    code: 'E_LEASE_SIGNER',
    cause: `The lease is of ${shortId(id)}, and ${shortId(caller)} brings it.`,
    fix: 'Each node has to bring its own lease (docs/specs/leases.md); update the older of the two sides.',
  })
}
