import type { CountSample, HopCounts } from '@weft/onion'

/** An answer that cannot be true: of one hop, or of two neighbours of whom one at least does not tell the truth. */
export interface Contradiction {
  /** The hop; or the two, the one nearer to the client first. */
  readonly hops: readonly number[]
  readonly what: string
}

/** Answers of a hop that are remembered, to hold later ones against. */
const KEPT = 16
/** Control units that a hop may send without one of the client's: that the next hop is there, and that it is gone. */
const UNASKED = 2
const NUMBERS = ['opened', 'passed', 'droppedForward', 'came', 'droppedBackward', 'sent'] as const

/** Holds what hops tell against what the client knows, against what they told before, and against each other. Whatever order cells came in: an honest hop is never named. */
export class HopClaims {
  readonly #samples: CountSample[][]

  constructor(hops: number) {
    this.#samples = Array.from({ length: hops }, () => [])
  }

  /** Takes a hop's answer. @returns what is wrong with it; undefined when nothing is */
  add(hop: number, sample: CountSample): Contradiction | undefined {
    const what = wrongAlone(sample) ?? wentBack(this.#known(hop, sample), sample)
    const found = what === undefined ? this.#wrongBeside(hop, sample.hop, sample) : { hops: [hop], what }
    const samples = this.#samples[hop]
    samples?.push(sample)
    if (samples !== undefined && samples.length > KEPT) samples.shift()
    return found
  }

  /** The newest answer of a hop that was there when the question was sealed. */
  #known(hop: number, { askedAt }: CountSample): HopCounts | undefined {
    return this.#samples[hop]?.findLast(({ answeredAt }) => answeredAt < askedAt)?.hop
  }

  #wrongBeside(hop: number, counts: HopCounts, sample: CountSample): Contradiction | undefined {
    const next = this.#known(hop + 1, sample)
    if (next !== undefined && counts.passed < next.opened)
      return {
        hops: [hop, hop + 1],
        what: `one says that it passed ${counts.passed} cells on, the other had opened ${next.opened} of them before`,
      }
    const before = this.#known(hop - 1, sample)
    if (before !== undefined && counts.sent < before.came)
      return {
        hops: [hop - 1, hop],
        what: `one had ${before.came} cells come from the other, which says later that it sent ${counts.sent}`,
      }
    return undefined
  }
}

function wrongAlone(sample: CountSample): string | undefined {
  const { hop, sealed, sealedAtAnswer, sealedForHop, openedAtQuestion, padding } = sample
  if (hop.opened > sealedAtAnswer)
    return `it says that it opened ${hop.opened} cells, of ${sealedAtAnswer} that were sent`
  if (hop.sent < openedAtQuestion)
    return `it says that it sent ${hop.sent} cells, of which ${openedAtQuestion} had come before`
  if (hop.passed > hop.opened) return `it says that it passed ${hop.passed} cells on, and opened ${hop.opened}`
  const back = hop.came - hop.droppedBackward
  if (back < 0) return `it says that it dropped ${hop.droppedBackward} cells of ${hop.came}`
  if (hop.sent < back) return `it says that it had ${back} cells to send to this node, and sent ${hop.sent}`
  // Control units that were sent meanwhile may have overtaken the question.
  const most = back + sealedForHop + UNASKED + (sealedAtAnswer - sealed) + padding
  return hop.sent > most ? `it says that it sent ${hop.sent} cells, and had ${most} at most` : undefined
}

function wentBack(before: HopCounts | undefined, { hop }: CountSample): string | undefined {
  const number = before && NUMBERS.find((name) => hop[name] < before[name])
  return number && `a number that can only grow went from ${before[number]} back to ${hop[number]}`
}
