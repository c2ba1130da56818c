import type { Chance } from './chance.ts'

/** A pair of what was seen at two places, and whether it was one flow. */
export interface Example {
  readonly features: readonly number[]
  readonly isOne: boolean
}

const HIDDEN = 12
const EPOCHS = 25
const BATCH = 64
const RATE = 0.01
const DECAY = 1e-3
const [FIRST_MOMENT, SECOND_MOMENT] = [0.9, 0.999]

/** Judges features: the higher, the likelier one flow. */
export type Judge = (features: readonly number[]) => number

/**
 * Trains a small network (one hidden layer of tanh, logistic loss, both kinds of equal weight) by Adam (Kingma and Ba, 2015) on features that are brought
 * to mean 0 and variance 1.
 */
export function trainAttack(examples: readonly Example[], chance: Chance): Judge {
  const { shift, scale } = standard(examples)
  const width = shift.length
  const inputs = examples.map(({ features }) =>
    features.map((value, at) => (value - (shift[at] as number)) * (scale[at] as number)),
  )
  const ones = examples.filter(({ isOne }) => isOne).length
  const weights = { one: examples.length / (2 * ones), other: examples.length / (2 * (examples.length - ones)) }
  // Hidden weights and biases, then those of the output, and last a way straight through.
  const size = HIDDEN * (width + 1) + HIDDEN + 1 + width
  const parameters = Float64Array.from({ length: size }, () => chance.uniform(-0.3, 0.3) / Math.sqrt(width / 4))
  const [first, second] = [new Float64Array(size), new Float64Array(size)]
  const hidden = new Float64Array(HIDDEN)
  const output = (input: readonly number[]): number => {
    let sum = parameters[HIDDEN * (width + 2)] as number
    for (let unit = 0; unit < HIDDEN; unit++) {
      let inner = parameters[HIDDEN * width + unit] as number
      for (let at = 0; at < width; at++) inner += (parameters[unit * width + at] as number) * (input[at] as number)
      hidden[unit] = Math.tanh(inner)
      sum += (parameters[HIDDEN * (width + 1) + unit] as number) * (hidden[unit] as number)
    }
    for (let at = 0; at < width; at++)
      sum += (parameters[HIDDEN * (width + 2) + 1 + at] as number) * (input[at] as number)
    return sum
  }
  const order = examples.map((_, at) => at)
  const gradient = new Float64Array(size)
  let steps = 0
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    shuffle(order, chance)
    for (let begin = 0; begin < order.length; begin += BATCH) {
      gradient.fill(0)
      const batch = order.slice(begin, begin + BATCH)
      for (const index of batch) {
        const input = inputs[index] as number[]
        const { isOne } = examples[index] as Example
        const judged = 1 / (1 + Math.exp(-output(input)))
        const error = ((judged - (isOne ? 1 : 0)) * (isOne ? weights.one : weights.other)) / batch.length
        add(gradient, HIDDEN * (width + 2), error)
        for (let at = 0; at < width; at++) add(gradient, HIDDEN * (width + 2) + 1 + at, error * (input[at] as number))
        for (let unit = 0; unit < HIDDEN; unit++) {
          const value = hidden[unit] as number
          add(gradient, HIDDEN * (width + 1) + unit, error * value)
          const inner = error * (parameters[HIDDEN * (width + 1) + unit] as number) * (1 - value * value)
          add(gradient, HIDDEN * width + unit, inner)
          for (let at = 0; at < width; at++) add(gradient, unit * width + at, inner * (input[at] as number))
        }
      }
      steps++
      for (let at = 0; at < size; at++) {
        const slope = (gradient[at] as number) + DECAY * (parameters[at] as number)
        first[at] = FIRST_MOMENT * (first[at] as number) + (1 - FIRST_MOMENT) * slope
        second[at] = SECOND_MOMENT * (second[at] as number) + (1 - SECOND_MOMENT) * slope * slope
        const mean = (first[at] as number) / (1 - FIRST_MOMENT ** steps)
        const square = (second[at] as number) / (1 - SECOND_MOMENT ** steps)
        add(parameters, at, (-RATE * mean) / (Math.sqrt(square) + 1e-8))
      }
    }
  }
  return (features) => output(features.map((value, at) => (value - (shift[at] as number)) * (scale[at] as number)))
}

function add(values: Float64Array, at: number, by: number): void {
  values[at] = (values[at] as number) + by
}

function standard(examples: readonly Example[]): {
  readonly shift: readonly number[]
  readonly scale: readonly number[]
} {
  const width = examples[0]?.features.length ?? 0
  const columns = Array.from({ length: width }, (_, at) => examples.map(({ features }) => features[at] as number))
  const shift = columns.map((column) => column.reduce((sum, value) => sum + value, 0) / column.length)
  const scale = columns.map((column, at) => {
    const variance = column.reduce((sum, value) => sum + (value - (shift[at] as number)) ** 2, 0) / column.length
    return variance < 1e-12 ? 0 : 1 / Math.sqrt(variance)
  })
  return { shift, scale }
}

function shuffle(order: number[], chance: Chance): void {
  for (let at = order.length - 1; at > 0; at--) {
    const other = Math.floor(chance.fraction() * (at + 1))
    ;[order[at], order[other]] = [order[other] as number, order[at] as number]
  }
}
