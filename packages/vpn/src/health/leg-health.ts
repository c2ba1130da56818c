import { type CircuitEvidence, type CountSample, type Tier, answerDelays } from '@weft/onion'
import { AskSchedule } from './ask-schedule.ts'
import { CellRate } from './cell-rate.ts'
import { CountRounds } from './count-rounds.ts'
import { DelaySeries } from './delay-series.ts'
import { HopClaims } from './hop-claims.ts'
import { HopJudge, type HopFigures, type HopVerdict } from './hop-judge.ts'
import { HopSilence } from './hop-silence.ts'
import type { LegEvidence, LinkLoss, PlacedContradiction, PlacedDelay } from './leg-evidence.ts'
import { LossPlacer } from './loss-placer.ts'
import type { Passage } from './loss-series.ts'

/** Cells of late below which nothing is said of how many are lost. */
const LEAST_CELLS = 50
/** Contradictions that are kept of a leg; one is enough to leave it. */
const MAX_CONTRADICTIONS = 16

/** A hop of a leg as its client knows it. */
export interface HopHealthStatus extends HopFigures, HopVerdict {}

/**
 * What a client knows of the health of one circuit: fed with what its hops answer, it says how each of them is, and where cells are
 * lost or delayed. Keeps no time of its own: every `nowMs` is monotonic ms.
 *
 *     if (health.isDue(now, circuit.cells)) { health.onAsked(now, circuit.cells); circuit.count() }
 */
export class LegHealth {
  readonly #hops: number
  readonly #rounds: CountRounds
  readonly #placer: LossPlacer
  readonly #claims: HopClaims
  readonly #silence: HopSilence
  readonly #schedule: AskSchedule
  /** Of each step: from the hop before to this one, and back. */
  readonly #delays: readonly DelaySeries[]
  readonly #rates: readonly CellRate[]
  readonly #judges: readonly HopJudge[]
  readonly #rttMs: (number | undefined)[]
  readonly #contradictions: PlacedContradiction[] = []

  /** @param hops of the circuit @param tier of it: what that delays by itself is no fault of a hop */
  constructor(hops: number, tier: Tier = 'off') {
    const each = <T>(make: () => T): T[] => Array.from({ length: hops }, make)
    this.#hops = hops
    this.#rounds = new CountRounds(hops)
    this.#placer = new LossPlacer(this.#rounds.places)
    this.#claims = new HopClaims(hops)
    this.#silence = new HopSilence(hops)
    this.#schedule = new AskSchedule(hops, tier !== 'off')
    this.#delays = answerDelays(tier, hops).map((ms) => new DelaySeries(ms))
    this.#rates = each(() => new CellRate())
    this.#judges = each(() => new HopJudge())
    this.#rttMs = Array.from({ length: hops }, () => undefined)
  }

  /** Whether the hops are to be asked now. @param cells as `ClientCircuit` has it */
  isDue(nowMs: number, cells: number): boolean {
    const isSuspect =
      this.#placer.isSuspect ||
      this.#delays.some((delay) => delay.isSuspect) ||
      this.#rttMs.some((rttMs, hop) => this.#silence.isOverdue(hop, rttMs, nowMs))
    return this.#schedule.isDue(nowMs, cells, isSuspect)
  }

  /** To be called beside `ClientCircuit.count`. */
  onAsked(nowMs: number, cells: number): void {
    this.#schedule.asked(nowMs, cells)
    this.#silence.asked(nowMs)
  }

  /** An answer of `ClientCircuit.count`. */
  onCounted(hop: number, sample: CountSample): void {
    const nowMs = sample.answeredMs
    this.#silence.answered(hop, sample.askedMs, nowMs)
    const wrong = this.#claims.add(hop, sample)
    if (wrong !== undefined && this.#contradictions.length < MAX_CONTRADICTIONS)
      this.#contradictions.push({ ...wrong, sinceMs: nowMs })
    const rttMs = nowMs - sample.askedMs
    this.#rttMs[hop] = rttMs
    const before = this.#rounds.add(hop, sample)
    if (hop === 0) this.#delays[0]?.add(rttMs, nowMs)
    else if (before !== undefined)
      this.#delays[hop]?.add(Math.max(0, rttMs - (before.answeredMs - before.askedMs)), nowMs)
    this.#rates[hop]?.add(nowMs, sample.hop.opened + sample.hop.sent)
    this.#placer.update(nowMs)
    // Levels are judged as figures come, whenever they are read.
    this.status(nowMs)
  }

  /** A pong: the time to a hop and back, ms. */
  onPong(hop: number, rttMs: number, nowMs: number): void {
    const before = hop === 0 ? 0 : this.#rttMs[hop - 1]
    this.#rttMs[hop] = rttMs
    this.#silence.answered(hop, nowMs - rttMs, nowMs)
    if (before !== undefined) this.#delays[hop]?.add(Math.max(0, rttMs - before), nowMs)
  }

  /** Of each hop, the entry first. */
  status(nowMs: number): readonly HopHealthStatus[] {
    const silent = this.#firstSilent(nowMs)
    return this.#judges.map((judge, hop) => {
      const figures = this.#figures(hop, nowMs)
      const verdict = judge.look({
        ...figures,
        nowMs,
        answers: this.#answers(hop, silent, nowMs),
        losses: this.#placer.losses.filter((loss) => loss.hop === hop),
        delay: this.#delays[hop]?.added,
        contradiction: this.#contradictionOf(hop),
      })
      return { ...figures, ...verdict }
    })
  }

  /** @param circuit `ClientCircuit.evidence` */
  evidence(circuit: CircuitEvidence, nowMs: number): LegEvidence {
    return {
      ...circuit,
      linkLoss: Array.from({ length: this.#hops }, (_, hop) => this.#linkLoss(hop)),
      losses: this.#placer.losses,
      delays: this.#delays.flatMap(({ added }, hop): PlacedDelay[] => (added === undefined ? [] : [{ hop, ...added }])),
      contradictions: [...this.#contradictions],
      atMs: nowMs,
    }
  }

  /** Of two that contradict each other, one that is known to say what is not so clears the other. */
  #contradictionOf(hop: number): PlacedContradiction | undefined {
    const isLiar = (other: number): boolean =>
      this.#contradictions.some(({ hops }) => hops.length === 1 && hops[0] === other)
    return this.#contradictions.find(
      ({ hops }) => hops.includes(hop) && !hops.some((other) => other !== hop && isLiar(other)),
    )
  }

  #figures(hop: number, nowMs: number): HopFigures {
    const delay = this.#delays[hop]
    return {
      latencyMs: delay?.latencyMs,
      jitterMs: delay?.jitterMs,
      linkLoss: this.#linkLoss(hop),
      lossPercent: percent(
        sum(this.#rounds.series('link', hop, 'forward').recent, this.#rounds.series('link', hop, 'backward').recent),
      ),
      bandwidthBytesPerSecond: this.#rates[hop]?.bytesPerSecond,
      upMs: this.#silence.upMs(hop, nowMs),
    }
  }

  #linkLoss(hop: number): LinkLoss {
    return {
      forward: percent(this.#rounds.series('link', hop, 'forward').recent),
      backward: percent(this.#rounds.series('link', hop, 'backward').recent),
    }
  }

  /** The first hop from which on none answers. */
  #firstSilent(nowMs: number): number {
    let first = this.#hops
    while (first > 0 && this.#silence.since(first - 1, this.#rttMs[first - 1], nowMs) !== undefined) first--
    return first
  }

  #answers(hop: number, firstSilent: number, nowMs: number): Parameters<HopJudge['look']>[0]['answers'] {
    if (hop > firstSilent) return { state: 'behind', sinceMs: nowMs }
    const sinceMs = this.#silence.since(hop, this.#rttMs[hop], nowMs)
    if (sinceMs === undefined) return { state: this.#rttMs[hop] === undefined ? 'unknown' : 'answers', sinceMs: nowMs }
    return { state: hop === firstSilent ? 'silent' : 'refuses', sinceMs }
  }
}

function sum(one: Passage, two: Passage): Passage {
  return { sent: one.sent + two.sent, lost: one.lost + two.lost }
}

function percent({ sent, lost }: Passage): number | undefined {
  return sent < LEAST_CELLS ? undefined : (100 * lost) / sent
}
