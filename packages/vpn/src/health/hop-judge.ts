import type { Colour, LevelBounds } from './level.ts'
import { Level } from './level.ts'
import type { AddedDelay } from './delay-series.ts'
import type { Direction, LinkLoss, PlacedContradiction, PlacedLoss } from './leg-evidence.ts'

/** Figures of one hop; undefined where not known. */
export interface HopFigures {
  /** ms, from the hop before (this node for the entry) and back (EWMA). */
  readonly latencyMs: number | undefined
  /** ms, mean deviation between round trips that follow each other (RFC 3550, section 6.4.1). */
  readonly jitterMs: number | undefined
  /** Of the link before it. */
  readonly linkLoss: LinkLoss
  /** Of the link before it, both directions together. */
  readonly lossPercent: number | undefined
  /** What this circuit has through it, both directions together. */
  readonly bandwidthBytesPerSecond: number | undefined
  /** For how long it has answered. */
  readonly upMs: number | undefined
}

/** What is not usual for a hop, whatever else it is: loss that was placed, delay that was added, silence, and what cannot be true. */
export interface HopTrouble {
  readonly colour: Exclude<Colour, 'green'>
  readonly of: 'loss' | 'delay' | 'silence' | 'contradiction'
}

export interface HopVerdict {
  readonly health: Colour | 'unknown'
  /** Which figure, its value, its bound, and for how long; empty when it is green. */
  readonly reason: string
  /** Undefined where there is none; one that is far away is yellow without. */
  readonly trouble: HopTrouble | undefined
}

export interface HopLook extends HopFigures {
  readonly nowMs: number
  /** silent: it and all behind it do not answer; behind: behind such a hop; refuses: hops behind it do. */
  readonly answers: {
    readonly state: 'unknown' | 'answers' | 'silent' | 'behind' | 'refuses'
    readonly sinceMs: number
  }
  /** At it, and on the link before it. */
  readonly losses: readonly PlacedLoss[]
  readonly delay: AddedDelay | undefined
  readonly contradiction: PlacedContradiction | undefined
}

const LOSS_PERCENT: LevelBounds = { yellow: 2, red: 10 }
const LATENCY_MS: LevelBounds = { yellow: 250, red: 600 }
const JITTER_MS: LevelBounds = { yellow: 30, red: 100 }
const ADDED_MS: LevelBounds = { yellow: 25, red: 200 }

interface Finding {
  readonly level: Level
  readonly words: string
  readonly of: 'loss' | 'delay' | undefined
}

const RANK: Readonly<Record<Colour, number>> = { green: 0, yellow: 1, red: 2 }

/** Judges one hop: the worst of its figures, each with hysteresis. Loss counts only where it was placed, that is beyond chance. */
export class HopJudge {
  readonly #loss: Readonly<Record<`${PlacedLoss['part']} ${Direction}`, Level>> = {
    'link forward': new Level(LOSS_PERCENT),
    'link backward': new Level(LOSS_PERCENT),
    'hop forward': new Level(LOSS_PERCENT),
    'hop backward': new Level(LOSS_PERCENT),
  }
  readonly #latency = new Level(LATENCY_MS)
  readonly #jitter = new Level(JITTER_MS)
  readonly #added = new Level(ADDED_MS)

  look(look: HopLook): HopVerdict {
    const findings = this.#findings(look)
    const found = worst(findings)
    const { contradiction, answers, nowMs } = look
    const trouble = troubleOf(findings)
    if (contradiction !== undefined)
      return {
        health: 'red',
        reason: contradictionText(contradiction, nowMs),
        trouble: { colour: 'red', of: 'contradiction' },
      }
    if (answers.state === 'unknown') return { health: 'unknown', reason: 'it has not answered yet', trouble }
    if (answers.state === 'silent')
      return {
        health: 'red',
        reason: `it does not answer, nor does any hop behind it, ${forText(answers.sinceMs, nowMs)}`,
        trouble: { colour: 'red', of: 'silence' },
      }
    if (answers.state === 'behind')
      return { health: 'yellow', reason: 'it is behind a hop that does not answer', trouble }
    if (found !== undefined)
      return {
        health: found.level.colour,
        reason: `${found.words} (bound ${found.level.bound}), ${forText(found.level.sinceMs, nowMs)}`,
        trouble,
      }
    if (answers.state === 'refuses')
      return {
        health: 'yellow',
        reason: `it does not say what it counted, and hops behind it do, ${forText(answers.sinceMs, nowMs)}`,
        trouble,
      }
    return { health: 'green', reason: '', trouble }
  }

  #findings({ latencyMs, jitterMs, losses, delay, nowMs }: HopLook): Finding[] {
    const findings: Finding[] = []
    const judge = (level: Level, value: number | undefined, words: string, of?: Finding['of']): void => {
      if (level.update(value, nowMs) !== 'green') findings.push({ level, words, of })
    }
    for (const part of ['link', 'hop'] as const)
      for (const direction of ['forward', 'backward'] as const) {
        const loss = losses.find((each) => each.part === part && each.direction === direction)
        judge(this.#loss[`${part} ${direction}`], loss?.percent ?? 0, lossText(part, direction, loss), 'loss')
      }
    judge(this.#latency, latencyMs, `${round(latencyMs)} ms from the hop before and back`)
    judge(this.#jitter, jitterMs, `${round(jitterMs)} ms of jitter`)
    judge(
      this.#added,
      delay?.addedMs ?? 0,
      `${round(delay?.addedMs)} ms slower than before, it or the link before it`,
      'delay',
    )
    return findings
  }
}

function worst(findings: readonly Finding[]): Finding | undefined {
  return findings.reduce<Finding | undefined>(
    (found, next) => (found === undefined || RANK[next.level.colour] > RANK[found.level.colour] ? next : found),
    undefined,
  )
}

function troubleOf(findings: readonly Finding[]): HopTrouble | undefined {
  const found = worst(findings.filter(({ of }) => of !== undefined))
  const colour = found?.level.colour
  return found?.of === undefined || colour === undefined || colour === 'green' ? undefined : { colour, of: found.of }
}

function lossText(part: PlacedLoss['part'], direction: Direction, loss: PlacedLoss | undefined): string {
  const way = direction === 'forward' ? 'towards the exit' : 'towards this node'
  const where = part === 'link' ? 'on the link before it, or by one of its two ends' : 'dropped by it, as it says'
  return loss === undefined
    ? `packets were lost ${way}, ${where}`
    : `${loss.percent.toFixed(1)} % of packets lost ${way}, ${where}`
}

function contradictionText({ what, hops, sinceMs }: PlacedContradiction, nowMs: number): string {
  const who =
    hops.length === 1 ? 'its figures cannot be true' : 'its figures and those of its neighbour cannot both be true'
  return `${who}: ${what}; ${forText(sinceMs, nowMs)}`
}

function forText(sinceMs: number, nowMs: number): string {
  return `for ${Math.max(1, Math.round((nowMs - sinceMs) / 1_000))} s`
}

function round(ms: number | undefined): string {
  return ms === undefined ? '?' : String(Math.round(ms))
}
