import type { ResourceCapacity } from '@weft/overlay'
import type { ResourcesAnswer } from './answers.ts'

const QUANTITIES = [
  'cores',
  'accelerators',
  'memoryBytes',
  'storageBytes',
  'uploadMbps',
  'downloadMbps',
] as const satisfies readonly (keyof ResourceCapacity)[]

/** The sums over all members that say something. What a member does not say counts as nothing. @param members in all */
export function totalResources(
  members: number,
  descriptors: readonly ResourcesAnswer['members'][number]['resources'][],
): ResourcesAnswer['totals'] {
  const carbon = descriptors.flatMap(({ energy }) => energy?.carbon ?? [])
  return {
    members,
    described: descriptors.length,
    attested: descriptors.filter(({ energy }) => energy?.evidence === 'attested').length,
    capacity: Object.fromEntries(
      QUANTITIES.map((quantity) => [
        quantity,
        descriptors.reduce((sum, { capacity }) => sum + (capacity?.[quantity] ?? 0), 0),
      ]),
    ) as ResourcesAnswer['totals']['capacity'],
    sites: countsOf(descriptors.map(({ site }) => site)),
    sources: countsOf(descriptors.flatMap(({ energy }) => energy?.source ?? [])),
    ...(carbon.length === 0
      ? {}
      : { carbon: { members: carbon.length, mean: carbon.reduce((sum, each) => sum + each, 0) / carbon.length } }),
  }
}

function countsOf(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1
  return counts
}
