import type { ResourceDescriptor } from './resource-descriptor.ts'

/**
 * What a certificate that ends then says of a machine: an attestation that ends before it counts no more, and what it said is the
 * operator's own word.
 * @param end ms since the Unix epoch
 */
export function resourcesUntil(resources: ResourceDescriptor | undefined, end: number): ResourceDescriptor | undefined {
  const energy = resources?.energy
  if (resources === undefined || energy?.evidence !== 'attested' || energy.notAfter >= end) return resources
  const { evidence: _, attester: __, notAfter: ___, statement: ____, ...figures } = energy
  return { ...resources, energy: { evidence: 'declared', ...figures } }
}
