import { throwIfAborted } from '@weft/core'
import { type DidKey, fromDidKey } from '@weft/crypto'
import type { Network } from '../network/network.ts'
import type { Rpc } from '../rpc.ts'
import type { CertificateBody } from './certificate-body.ts'
import { verifyCertificate } from './certificate.ts'

export interface FindOwnCertificateInit {
  readonly network: Network
  readonly self: DidKey
  readonly rpc: Pick<Rpc, 'call'>
}

/**
 * Asks validators for the newest certificate of this node: one that lost its state does not know any more where it
 * stands, and they hold it to that. Undefined when none has one.
 * @throws WeftError E_ABORTED
 */
export async function findOwnCertificate(
  { network, self, rpc }: FindOwnCertificateInit,
  signal: AbortSignal,
): Promise<CertificateBody | undefined> {
  let newest: CertificateBody | undefined
  for (const { id } of network.validators) {
    throwIfAborted(signal)
    if (id === self) continue
    try {
      const { certificates } = await rpc.call(id, 'map.certificates', { members: [fromDidKey(self)] }, { signal })
      const [certificate] = certificates
      if (certificate === undefined) continue
      const { body } = verifyCertificate(network, certificate)
      if (body.id === self && body.issuedEpoch > (newest?.issuedEpoch ?? -1)) newest = body
    } catch {
      // Another is asked.
    }
  }
  return newest
}
