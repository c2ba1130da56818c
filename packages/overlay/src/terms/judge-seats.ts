import { toleratedFaults } from '../network/quorum.ts'
import type { Electors } from './electors.ts'
import { seatsOf } from './recovery-value.ts'

/** Rounds after which one elector more may be judged otherwise than by what is heard here. */
const ROUNDS_A_DIFFERENCE = 4

/** What an elector itself knows of the others, by their places. */
export interface ElectorView {
  readonly isThere: (elector: number) => boolean
  readonly isRevoked: (elector: number) => boolean
}

/**
 * Whether the seats are those of whom this elector hears: nobody that it hears is passed over, and it waits with those that
 * it does not hear. An elector that speaks to some of the others only could so keep them from ever agreeing: therefore a
 * few may differ in later rounds, one more every four of them, and at most as many as may lie among the seats.
 * @returns undefined while that cannot be told
 */
export function judgeSeats(
  electors: Electors,
  wanted: number,
  seats: readonly number[],
  round: number,
  { isThere, isRevoked }: ElectorView,
): boolean | undefined {
  const seated = new Set(seats)
  // The limits of families and networks, and how many there may be.
  if (seatsOf(electors, wanted, (elector) => seated.has(elector)).length !== seats.length) return false
  if (seats.some(isRevoked)) return false
  const tolerated = Math.min(Math.floor(round / ROUNDS_A_DIFFERENCE), toleratedFaults(seats.length))
  const right = seatsOf(electors, wanted, (elector) => seated.has(elector) || (isThere(elector) && !isRevoked(elector)))
  const passedOver = right.filter((elector) => !seated.has(elector)).length
  if (passedOver > tolerated) return false
  const silent = seats.filter((elector) => !isThere(elector)).length
  return passedOver + silent <= tolerated ? true : undefined
}
