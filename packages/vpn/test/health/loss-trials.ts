import { randomInt } from '@weft/core'
import type { Direction } from '../../src/health/leg-evidence.ts'
import { SimulatedWay } from './simulated-way.ts'

export type Directions = 'forward' | 'backward' | 'both'

function directionsOf(directions: Directions): readonly Direction[] {
  return directions === 'both' ? ['forward', 'backward'] : [directions]
}

/** A circuit on which one link begins to lose 5 % at some moment. @returns the places named within 2 s of that, and of when */
export function tryLoss(seed: number, link: number, directions: Directions, background = 0) {
  const way = new SimulatedWay(seed)
  for (const profiles of way.profiles)
    for (const direction of ['forward', 'backward'] as const) profiles[direction].loss = background
  way.run(1_000 + randomInt(way.random, 1_000))
  const began = way.now
  for (const direction of directionsOf(directions)) way.profiles[link]![direction].loss = 0.05
  way.run(2_000)
  const { losses } = way.health.evidence(way.circuit.evidence, way.now)
  const right = new Set(directionsOf(directions).map((direction) => nameOf({ part: 'link', hop: link, direction })))
  const named = new Set(losses.map(nameOf))
  return {
    /** The link is named. */
    isFound: [...named].some((name) => right.has(name)),
    /** In each direction that loses. */
    isWhole: [...right].every((name) => named.has(name)),
    wrong: [...named].filter((name) => !right.has(name)),
    ms: Math.min(...losses.map(({ sinceMs }) => sinceMs - began)),
  }
}

function nameOf({ part, hop, direction }: { part: string; hop: number; direction: string }): string {
  return `${part} ${hop} ${direction}`
}

/** Places named, at any look, on a circuit whose links all lose the same part for so long. */
export function tryEven(seed: number, loss: number, ms: number): number {
  const way = new SimulatedWay(seed)
  for (const profiles of way.profiles)
    for (const direction of ['forward', 'backward'] as const) profiles[direction].loss = loss
  const named = new Set<string>()
  way.run(ms, () => {
    for (const place of way.health.evidence(way.circuit.evidence, way.now).losses) named.add(nameOf(place))
  })
  return named.size
}
