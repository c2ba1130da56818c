import type { Random } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { DrawnLeg } from '../../src/route/drawn-leg.ts'
import type { PathChooser } from '../../src/route/path-chooser.ts'
import type { PathWishes } from '../../src/route/path-wishes.ts'

const idsOf = ({ hops }: DrawnLeg): DidKey[] => hops.map(({ member }) => member.id)

/** Legs to one exit, as clients have them: one is drawn, and the others beside those that are there. */
export function drawLegs(chooser: PathChooser, count: number, wishes: PathWishes, random: Random): DrawnLeg[] {
  const legs = [chooser.choose(wishes, random)]
  while (legs.length < count) {
    const exit = { kind: 'node', id: legs[0]?.hops.at(-1)?.member.id as DidKey } as const
    legs.push(chooser.choose({ ...wishes, exit, beside: legs.map(idsOf) }, random))
  }
  return legs
}
