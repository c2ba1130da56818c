import { WeftError, equalBytes } from '@weft/core'
import { type SignedEnvelope, shortId, toDidKey } from '@weft/crypto'
import { decodeCanonical, encodeCanonical } from '../codec/canonical-cbor.ts'
import { type Refusal, bytesOf, integerOf, textOf, timeOf, tupleOf } from '../codec/strict-values.ts'
import { NETWORK_ID } from '../network/network-id.ts'
import { figureFields, figuresOf } from './energy-figures.ts'
import type { AttestedEnergy, EnergyFigures } from './resource-descriptor.ts'

/** What an attester signs (purpose `attestation`): that the power of a member is as said, until a moment. */
export interface Attestation extends EnergyFigures {
  /** Id of the network. */
  readonly network: string
  /** 32 bytes: the key of the member. */
  readonly member: Uint8Array
  /** ms since the Unix epoch. */
  readonly notAfter: number
}

/** In whose certificate an attestation stands. */
export interface Attested {
  readonly network: string
  /** 32 bytes */
  readonly key: Uint8Array
  /** ms since the Unix epoch: until when it has to hold. */
  readonly expiresAt: number
}

/** Bytes of one encoded attestation at most. */
export const MAX_ATTESTATION = 128
const VERSION = 1

export function encodeAttestation({ network, member, notAfter, ...figures }: Attestation): Uint8Array {
  return encodeCanonical([VERSION, network, member, ...figureFields(figures), notAfter])
}

/** @param path where it stands, for the words of a refusal @throws refusal */
export function decodeAttestation(bytes: Uint8Array, path: string, refuse: Refusal = malformed): Attestation {
  const value = decodeCanonical(bytes, MAX_ATTESTATION, (why) => refuse(`${path}: ${why}`))
  const [version, network, member, grid, source, carbon, notAfter] = tupleOf(value, path, 7, refuse)
  integerOf(version, `${path}.version`, VERSION, VERSION, refuse)
  return {
    network: textOf(network, `${path}.network`, NETWORK_ID, 33, refuse),
    member: bytesOf(member, `${path}.member`, 32, refuse),
    ...figuresOf(grid, source, carbon, path, refuse),
    notAfter: timeOf(notAfter, `${path}.notAfter`, refuse),
  }
}

/**
 * Reads what an attester signed for the holder of a certificate. Whose signature it is and whether it is valid is for
 * `requireAttester` to say.
 * @throws refusal when it is for another network or member, or ends too early
 */
export function attestedEnergy(
  statement: SignedEnvelope,
  { network, key, expiresAt }: Attested,
  path: string,
  refuse: Refusal = malformed,
): AttestedEnergy {
  const { network: of, member, notAfter, ...figures } = decodeAttestation(statement.payload, path, refuse)
  if (of !== network) throw refuse(`${path}.network is ${of}, and the node is in ${network}`)
  if (!equalBytes(member, key))
    throw refuse(`${path}.member is ${shortId(toDidKey(member))}, and the node is ${shortId(toDidKey(key))}`)
  if (notAfter < expiresAt)
    throw refuse(`${path}.notAfter is ${notAfter}, and it has to hold until ${expiresAt} (ms since the Unix epoch)`)
  return { evidence: 'attested', ...figures, attester: toDidKey(statement.signer), notAfter, statement }
}

function malformed(why: string): WeftError {
  return new WeftError({
    code: 'E_ATTESTATION_MALFORMED',
    cause: `An attestation of energy cannot be used: ${why}.`,
    fix: 'Ask the attester for one for this node (weft network attest), and set it as resources.attestation in weft.toml.',
  })
}
