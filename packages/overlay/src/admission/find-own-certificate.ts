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
 * Asks all validators at once for the newest certificate of this node: one that lost its state does not know any more where it
 * stands, and they hold it to that. Undefined when none has one.
 * @throws WeftError E_ABORTED
 */
export async function findOwnCertificate(
  { network, self, rpc }: FindOwnCertificateInit,
  signal: AbortSignal,
): Promise<CertificateBody | undefined> {
  const ask = async (validator: DidKey): Promise<CertificateBody | undefined> => {
    try {
      const { certificates } = await rpc.call(
        validator,
        'map.certificates',
        { members: [fromDidKey(self)] },
        { signal },
      )
      const [certificate] = certificates
      if (certificate === undefined) return undefined
      const { body } = verifyCertificate(network, certificate)
      return body.id === self ? body : undefined
    } catch {
      // Another one may have it.
      return undefined
    }
  }
  const validators = network.validators.map(({ id }) => id).filter((id) => id !== self)
  const found = await Promise.all(validators.map(ask))
  throwIfAborted(signal)
  return found
    .flatMap((body) => body ?? [])
    .reduce<CertificateBody | undefined>(
      (newest, body) => (body.issuedEpoch > (newest?.issuedEpoch ?? -1) ? body : newest),
      undefined,
    )
}
