import { equalBytes } from '@weft/core'
import type { HopCounts } from './hop-counts.ts'

/**
 * A hop's answer, beside what the client had counted itself at the same places of the same streams: differences of two samples of a
 * hop say what became of the cells between. Numbers are since the circuit is there.
 */
export interface CountSample {
  /** The questions of a round went out one behind the other, the entry's first. */
  readonly round: number
  /** Monotonic ms: when the question was sealed, and when the answer was opened. */
  readonly askedMs: number
  readonly answeredMs: number
  /** Places of the two among all questions and answers of the circuit, in their order: what was answered at 5 was known to whoever asked at 6. */
  readonly askedAt: number
  readonly answeredAt: number
  readonly hop: HopCounts
  /** Cells with a unit of this hop that the link to the entry took, when the question was sealed (it is one), and when the answer was opened. */
  readonly sealed: number
  readonly sealedAtAnswer: number
  /** Those of `sealed` that were for this hop itself. */
  readonly sealedForHop: number
  /** Units of this hop that the client opened, when the answer was opened (it is one), and when the question was sealed. */
  readonly opened: number
  readonly openedAtQuestion: number
  /** Of `hop.sent`, so many may be padding, as its tier has it: those that are lost nobody can tell from other cells. 0 without a tier. */
  readonly padding: number
}

type Question = Pick<CountSample, 'round' | 'askedMs' | 'askedAt' | 'sealed' | 'sealedForHop' | 'openedAtQuestion'> & {
  readonly token: Uint8Array
}

/** Questions to a hop that may be out at once; an older one is forgotten. */
const QUESTIONS_OUT = 32

/** What a client counts of one circuit, and the questions to its hops that are out. Nothing is allocated for a cell. */
export class ClientCounts {
  /** Of each hop: cells with a unit of it that were sent, and units of it that opened. */
  readonly sealed: Float64Array
  readonly opened: Float64Array
  /** Of each hop: questions and answers. */
  readonly asked: Float64Array
  readonly answered: Float64Array
  readonly #sealedForHop: Float64Array
  readonly #questions: Question[][]
  #place = 0

  constructor(hops: number) {
    this.sealed = new Float64Array(hops)
    this.opened = new Float64Array(hops)
    this.asked = new Float64Array(hops)
    this.answered = new Float64Array(hops)
    this.#sealedForHop = new Float64Array(hops)
    this.#questions = Array.from({ length: hops }, () => [])
  }

  /** A cell for the hop at `depth` was sent; `isForHop`: for the hop itself, control or padding, not for a session at it. */
  cellSent(depth: number, isForHop: boolean): void {
    if (isForHop) this.#sealedForHop[depth] = (this.#sealedForHop[depth] as number) + 1
    for (let at = 0; at <= depth; at++) this.sealed[at] = (this.sealed[at] as number) + 1
  }

  /** A unit of the hop at `depth` opened. */
  unitOpened(depth: number): void {
    this.opened[depth] = (this.opened[depth] as number) + 1
  }

  /** A question to a hop was sent, and is counted in `sealed`. */
  questionSent(hop: number, round: number, token: Uint8Array, nowMs: number): void {
    const questions = this.#questions[hop] as Question[]
    if (questions.length === QUESTIONS_OUT) questions.shift()
    const sealed = this.sealed[hop] as number
    this.asked[hop] = (this.asked[hop] as number) + 1
    questions.push({
      token,
      round,
      askedMs: nowMs,
      askedAt: ++this.#place,
      sealed,
      sealedForHop: this.#sealedForHop[hop] as number,
      openedAtQuestion: this.opened[hop] as number,
    })
  }

  /** The sample that an answer makes; undefined when no such question is out: each is answered once. @param padding as the sample has it */
  answerOpened(
    hop: number,
    token: Uint8Array,
    counts: HopCounts,
    nowMs: number,
    padding: number,
  ): CountSample | undefined {
    const questions = this.#questions[hop] as Question[]
    const at = questions.findIndex((question) => equalBytes(question.token, token))
    const [question] = at < 0 ? [] : questions.splice(at, 1)
    if (question === undefined) return undefined
    const { token: _, ...asked } = question
    this.answered[hop] = (this.answered[hop] as number) + 1
    return {
      ...asked,
      answeredMs: nowMs,
      answeredAt: ++this.#place,
      hop: counts,
      sealedAtAnswer: this.sealed[hop] as number,
      opened: this.opened[hop] as number,
      padding,
    }
  }
}
