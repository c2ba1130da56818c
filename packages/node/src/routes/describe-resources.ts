import {
  type AttestedEnergy,
  type Network,
  type ResourceDescriptor,
  formatAttestation,
  requireAttester,
} from '@weft/overlay'
import type { ResourcesAnswer } from './answers.ts'

/**
 * What a member says of its machine, as the API tells it. That energy is attested is verified here once more, whatever a
 * quorum of validators signed: what does not hold is left out.
 */
export function describeResources(
  attesters: Pick<Network, 'file' | 'isAttester'>,
  { energy, ...rest }: ResourceDescriptor,
): ResourcesAnswer['members'][number]['resources'] {
  if (energy === undefined) return rest
  if (energy.evidence === 'declared') return { ...rest, energy }
  if (!isAttested(attesters, energy)) return rest
  const { statement, ...said } = energy
  return { ...rest, energy: { ...said, attestation: formatAttestation(statement) } }
}

/** Entries of the map are read once and never change, so each attestation is verified once and not in each answer. */
const verified = new WeakMap<AttestedEnergy, boolean>()

function isAttested(attesters: Pick<Network, 'file' | 'isAttester'>, energy: AttestedEnergy): boolean {
  const known = verified.get(energy)
  if (known !== undefined) return known
  let holds = true
  try {
    requireAttester(attesters, energy)
  } catch {
    holds = false
  }
  verified.set(energy, holds)
  return holds
}
