import { type Network, type ResourceDescriptor, formatAttestation, requireAttester } from '@weft/overlay'
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
  try {
    requireAttester(attesters, energy)
  } catch {
    return rest
  }
  const { statement, ...said } = energy
  return { ...rest, energy: { ...said, attestation: formatAttestation(statement) } }
}
