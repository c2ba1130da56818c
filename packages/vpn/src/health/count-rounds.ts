import type { CountSample } from '@weft/onion'
import type { Direction, Place } from './leg-evidence.ts'
import { LossSeries, type Passage } from './loss-series.ts'

/** A part of the way in one direction, and what it loses. */
export interface PlaceLosses extends Place {
  readonly series: LossSeries
}

/** Rounds of questions that answers may still come to. */
const OPEN_ROUNDS = 32

interface Known {
  readonly lastRound: Map<LossSeries, number>
}

/** Puts the answers of one round together (docs/specs/packets.md, Counters): what each link lost, and each hop dropped, in either direction. */
export class CountRounds {
  /** Of all places: link and hop, each forward and backward, from the entry on. */
  readonly places: readonly PlaceLosses[]
  readonly #rounds = new Map<number, (CountSample | undefined)[]>()
  readonly #newest: Known = { lastRound: new Map() }

  constructor(hops: number) {
    this.places = Array.from({ length: hops }, (_, hop) => hop).flatMap((hop) =>
      (['link', 'hop'] as const).flatMap((part) =>
        (['forward', 'backward'] as const).map((direction) => ({ part, hop, direction, series: new LossSeries() })),
      ),
    )
  }

  series(part: Place['part'], hop: number, direction: Direction): LossSeries {
    const at = 4 * hop + (part === 'hop' ? 2 : 0) + (direction === 'backward' ? 1 : 0)
    return (this.places[at] as PlaceLosses).series
  }

  /** Takes a hop's answer. @returns the answer of the hop before to the same round, when that is there */
  add(hop: number, sample: CountSample): CountSample | undefined {
    let round = this.#rounds.get(sample.round)
    if (round === undefined) {
      round = []
      this.#rounds.set(sample.round, round)
      const [oldest] = this.#rounds.keys()
      if (this.#rounds.size > OPEN_ROUNDS && oldest !== undefined) this.#rounds.delete(oldest)
    }
    round[hop] = sample
    const before = round[hop - 1]
    const next = round[hop + 1]
    this.#atHop(hop, sample)
    if (hop === 0) this.#firstLink(sample)
    else if (before !== undefined) this.#link(hop, before, sample)
    if (next !== undefined) this.#link(hop + 1, sample, next)
    return before
  }

  #atHop(hop: number, sample: CountSample): void {
    const { opened, passed, droppedForward, came, droppedBackward } = sample.hop
    const kept = opened - passed - sample.sealedForHop
    this.#tell('hop', hop, 'forward', sample, { sent: opened + droppedForward, lost: droppedForward + kept })
    this.#tell('hop', hop, 'backward', sample, { sent: came, lost: droppedBackward })
  }

  #firstLink(sample: CountSample): void {
    const { sealed, hop } = sample
    this.#tell('link', 0, 'forward', sample, { sent: sealed, lost: sealed - hop.opened - hop.droppedForward })
    this.#tell('link', 0, 'backward', sample, { sent: hop.sent, lost: lostOnTheWayBack(sample) })
  }

  #link(hop: number, before: CountSample, sample: CountSample): void {
    const { passed, droppedBackward } = before.hop
    const { opened, droppedForward, sent } = sample.hop
    this.#tell('link', hop, 'forward', sample, { sent: passed, lost: passed - opened - droppedForward })
    const lost = lostOnTheWayBack(sample) - lostOnTheWayBack(before) - droppedBackward
    this.#tell('link', hop, 'backward', sample, { sent, lost })
  }

  #tell(
    part: Place['part'],
    hop: number,
    direction: Direction,
    { round, askedMs }: CountSample,
    passage: Passage,
  ): void {
    const series = this.series(part, hop, direction)
    if ((this.#newest.lastRound.get(series) ?? 0) >= round) return
    this.#newest.lastRound.set(series, round)
    series.add(askedMs, passage)
  }
}

function lostOnTheWayBack({ hop, opened }: CountSample): number {
  return hop.sent - opened
}
