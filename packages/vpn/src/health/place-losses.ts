import { binomialTail } from './binomial-tail.ts'
import type { PlaceLosses } from './count-rounds.ts'
import type { PlacedLoss } from './leg-evidence.ts'
import type { Passage } from './loss-series.ts'

/** Loss is looked for in these spans, ms: what began just now, and what is too little to be seen so soon. */
const WINDOWS_MS = [2_200, 30_000] as const
/**
 * Chance that a test places loss where there is no more than elsewhere. A leg is tested two to five times a second at each of its places: at
 * 1e-5 one of 60 minutes in which all links lost 1 % named one of them.
 */
const CHANCE = 1e-6
/** Chance below which the next figures are worth having soon. */
const SUSPECT_CHANCE = 0.05
/** Part that must be lost at a place, and cells, for it to be named. */
const LEAST_PART = 0.01
const LEAST_CELLS = 5
/** Fewer say nothing, and need no test. */
const TESTED_CELLS = 3
/** Parts of which it is asked whether a link loses more, whatever others do, and whether a hop drops more. */
const BAD_LINK_PART = 0.02
const BAD_HOP_PART = 0.005

type Found = Omit<PlacedLoss, 'sinceMs'>

/** What a place lost in the shortest window that shows it; where none does, in the one where it is least probable by accident. */
export function lossAt(place: PlaceLosses, places: readonly PlaceLosses[]): Found {
  const found = WINDOWS_MS.map((windowMs) => lossIn(windowMs, place, places))
  return found.find(isPlaced) ?? found.reduce((best, next) => (next.chance < best.chance ? next : best))
}

export function isPlaced({ chance, sent, lost }: Pick<Found, 'chance' | 'sent' | 'lost'>): boolean {
  return chance <= CHANCE && lost >= LEAST_CELLS && lost >= LEAST_PART * sent
}

export function isSuspect({ chance, sent, lost }: Pick<Found, 'chance' | 'sent' | 'lost'>): boolean {
  return chance <= SUSPECT_CHANCE && lost >= LEAST_PART * sent
}

/** Whether a place, where loss was found, loses less than half of what is named. */
export function isQuiet({ series }: PlaceLosses): boolean {
  const { sent, lost } = series.over(WINDOWS_MS[0])
  return sent > 0 && lost < (LEAST_PART / 2) * sent
}

function lossIn(
  windowMs: number,
  { part, hop, direction, series }: PlaceLosses,
  places: readonly PlaceLosses[],
): Found {
  const own = series.surelyOver(windowMs)
  const { sent, lost } = own
  const found = { part, hop, direction, percent: sent === 0 ? 0 : (100 * lost) / sent, sent, lost }
  if (lost < TESTED_CELLS) return { ...found, chance: 1 }
  const links = places.filter((place) => place.part === 'link')
  // The other direction of the same link may be as bad, and would hide it; where it is not, it speaks for it. Two tests, so twice the chance.
  const besides = [links.filter((link) => link.hop !== hop), links.filter((link) => link.series !== series)]
  const chance =
    part === 'hop'
      ? binomialTail(lost, sent, BAD_HOP_PART)
      : Math.min(
          binomialTail(lost, sent, BAD_LINK_PART),
          ...besides.map((others) => 2 * chanceBeside(own, sumOf(windowMs, others))),
        )
  return { ...found, chance: Math.min(1, chance) }
}

/**
 * The chance that so many of all losses fall on this link when all links lose the same part: given how many there are, they fall as
 * cells do (the conditional test of Przyborowski and Wilenski, 1940).
 */
function chanceBeside({ sent, lost }: Passage, others: Passage): number {
  return others.sent === 0 ? 1 : binomialTail(lost, lost + others.lost, sent / (sent + others.sent))
}

function sumOf(windowMs: number, places: readonly PlaceLosses[]): Passage {
  let [sent, lost] = [0, 0]
  for (const { series } of places) {
    const passage = series.over(windowMs)
    sent += passage.sent
    lost += passage.lost
  }
  return { sent, lost }
}
