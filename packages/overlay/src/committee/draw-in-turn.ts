import { type Random, randomInt } from '@weft/core'

/** The shuffle of Fisher and Yates, from the front, so that it costs no more than what is taken of it. */
export function* drawInTurn<M>(random: Random, items: readonly M[]): Generator<M> {
  const left = [...items]
  for (let at = 0; at < left.length; at++) {
    const chosen = at + randomInt(random, left.length - at)
    const item = left[chosen] as M
    left[chosen] = left[at] as M
    yield item
  }
}
