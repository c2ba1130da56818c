import type { SigningKey } from '@weft/crypto'
import { type Lease, LeaseSchema, create } from '@weft/wire'
import { type LeaseBody, encodeLeaseBody } from '../../src/lease/lease-body.ts'
import { leaseEnd } from '../../src/lease/lease.ts'
import { type TestNetworkFile, testNetwork } from '../fixtures.ts'

/** Four validators, of which three are a quorum, and nodes that are none. */
export const fixture: TestNetworkFile = testNetwork(4, 6)
export const validators: readonly SigningKey[] = fixture.keys.slice(0, 4)
export const clients: readonly SigningKey[] = fixture.keys.slice(4)

/** What a client asks for in an epoch. */
export function leaseBody(
  key: SigningKey,
  issuedEpoch = 10,
  changes: Partial<Omit<LeaseBody, 'id'>> = {},
): Omit<LeaseBody, 'id'> {
  const { network } = fixture
  return {
    network: network.id,
    key: key.publicKey,
    uses: ['forward'],
    issuedEpoch,
    expiresAt: leaseEnd(network, issuedEpoch),
    ...changes,
  }
}

/** A lease with these votes over its body, or over other bytes, whatever they are worth. */
export function wireLease(
  body: Omit<LeaseBody, 'id'>,
  voters: readonly SigningKey[] = validators.slice(0, 3),
  purpose: 'lease' | 'vote' = 'lease',
  signed?: Uint8Array,
): Lease {
  const bytes = encodeLeaseBody(body)
  const votes = voters.map((voter) => ({ signer: voter.publicKey, signature: voter.sign(purpose, signed ?? bytes) }))
  return create(LeaseSchema, { body: bytes, votes })
}
