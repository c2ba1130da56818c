import { WeftError, counted } from '@weft/core'
import { type SignedEnvelope, type SigningKey, sealEnvelope, shortId } from '@weft/crypto'
import type { Network } from '../network/network.ts'
import { type Attestation, decodeAttestation, encodeAttestation } from './attestation.ts'

/** What an attester says, of whom, and until when. */
export type AttestationClaim = Omit<Attestation, 'network'>

/**
 * Signs an attestation with the first of `keys` that the network file names as an attester.
 * @throws WeftError E_NOT_ATTESTER, E_ATTESTATION_MALFORMED when it breaks a limit
 */
export function issueAttestation(
  network: Network,
  keys: readonly SigningKey[],
  claim: AttestationClaim,
): SignedEnvelope {
  const signer = keys.find(({ id }) => network.isAttester(id))
  if (signer === undefined) throw notAttester(network, keys)
  const payload = encodeAttestation({ network: network.id, ...claim })
  decodeAttestation(payload, 'attestation')
  return sealEnvelope('attestation', payload, signer)
}

function notAttester({ file }: Network, keys: readonly SigningKey[]): WeftError {
  const own = keys.map(({ id }) => `…${shortId(id)}`).join(' and ')
  const who =
    file.attesters === undefined
      ? 'names no attesters'
      : `names ${counted(file.attesters.length, 'attester')}, and this node is none (its keys: ${own})`
  return new WeftError({
    code: 'E_NOT_ATTESTER',
    cause: `The file of the network ${file.name} ${who}.`,
    fix: 'Ask somebody whom it names: weft network show lists them. They are set when a network begins (weft network create --attester).',
  })
}
