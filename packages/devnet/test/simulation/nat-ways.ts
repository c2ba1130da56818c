/** Where a node stands: outside, or behind a NAT of that kind. */
export const PLACES = ['outside', 'full-cone', 'restricted', 'symmetric'] as const
export type Place = (typeof PLACES)[number]

/** Of a client there (left) to a node there (right): whom a hole is punched to, and whom only a relay reaches (docs/specs/reach.md, Direct connections). */
export const WAYS: Record<Place, Record<Place, 'direct' | 'relay'>> = {
  outside: { outside: 'direct', 'full-cone': 'direct', restricted: 'direct', symmetric: 'relay' },
  'full-cone': { outside: 'direct', 'full-cone': 'direct', restricted: 'direct', symmetric: 'relay' },
  restricted: { outside: 'direct', 'full-cone': 'direct', restricted: 'direct', symmetric: 'relay' },
  symmetric: { outside: 'direct', 'full-cone': 'direct', restricted: 'relay', symmetric: 'relay' },
}
