import { WeftError } from '@weft/core'
import { shortId, verifySignature } from '@weft/crypto'
import type { Network } from '../network/network.ts'
import type { AttestedEnergy } from './resource-descriptor.ts'

/**
 * Makes sure that energy is attested by somebody whom the network file names, who signed what it says.
 * @throws WeftError E_ATTESTATION_SIGNER, E_SIGNATURE_INVALID
 */
export function requireAttester(
  network: Pick<Network, 'file' | 'isAttester'>,
  { attester, statement }: AttestedEnergy,
): void {
  if (!network.isAttester(attester)) {
    const named = network.file.attesters?.length ?? 0
    throw new WeftError({
      code: 'E_ATTESTATION_SIGNER',
      cause: `resources.energy is attested by ${shortId(attester)}, who is none of the ${named} attesters that the file of the network ${network.file.name} names.`,
      fix: 'Ask one whom the network file names (weft network show), or take resources.attestation out of weft.toml and declare it.',
    })
  }
  const { payload, signer, signature } = statement
  if (!verifySignature('attestation', payload, signature, signer)) {
    throw new WeftError({
      code: 'E_SIGNATURE_INVALID',
      cause: `resources.energy is attested in the name of ${shortId(attester)}, whose signature does not fit.`,
      fix: 'Copy the whole line that weft network attest printed into resources.attestation in weft.toml.',
    })
  }
}
