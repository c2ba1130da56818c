import { type Refusal, integerOf, textOf } from '../codec/strict-values.ts'
import { oneOf, present } from './optional-fields.ts'
import { ENERGY_SOURCES, type EnergyFigures, GRID, MAX_CARBON, MAX_GRID } from './resource-descriptor.ts'

/** Grid, source and carbon as they are encoded, null for what is not said. */
export function figureFields({ grid, source, carbon }: EnergyFigures): readonly [unknown, unknown, unknown] {
  return [grid ?? null, source ?? null, carbon ?? null]
}

/** @param path where they stand, for the words of a refusal @throws refusal */
export function figuresOf(
  grid: unknown,
  source: unknown,
  carbon: unknown,
  path: string,
  refuse: Refusal,
): EnergyFigures {
  if (grid === null && source === null && carbon === null) throw refuse(`${path} says neither grid, source nor carbon`)
  return {
    ...present('grid', grid, (text) => textOf(text, `${path}.grid`, GRID, MAX_GRID, refuse)),
    ...present('source', source, (text) => oneOf(text, `${path}.source`, ENERGY_SOURCES, refuse)),
    ...present('carbon', carbon, (number) => integerOf(number, `${path}.carbon`, 0, MAX_CARBON, refuse)),
  }
}
