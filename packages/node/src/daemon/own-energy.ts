import { type Clock, type Logger, WeftError } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import { type AttestedEnergy, type Network, attestedEnergy, parseAttestation, requireAttester } from '@weft/overlay'

export interface OwnEnergyInit {
  readonly network: Network
  readonly key: SigningKey
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * The energy of this node by what an attester signed. One that has ended is told and taken: the node declares what it said.
 * @param text as `weft network attest` prints it
 * @throws WeftError E_ATTESTATION_TEXT, E_ATTESTATION_MALFORMED, E_ATTESTATION_SIGNER, E_SIGNATURE_INVALID
 */
export function ownEnergy(text: string, { network, key, clock, logger }: OwnEnergyInit): AttestedEnergy {
  const holder = { network: network.id, key: key.publicKey, expiresAt: 0 }
  const energy = attestedEnergy(parseAttestation(text), holder, 'resources.attestation')
  requireAttester(network, energy)
  if (energy.notAfter < clock.now()) {
    const { code, cause, fix } = expired(energy)
    logger.warn('the energy of this node is declared, and not attested', { code, cause, fix })
  }
  return energy
}

function expired({ attester, notAfter }: AttestedEnergy): WeftError {
  return new WeftError({
    code: 'E_ATTESTATION_EXPIRED',
    cause: `resources.attestation in weft.toml, by ${attester}, ended on ${new Date(notAfter).toISOString()}.`,
    fix: 'Ask the attester for a new one (weft network attest), or take it out.',
  })
}
