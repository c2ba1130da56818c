import type { Fault } from '@weft/core'
import { type SeatStatus, quorumOf, toleratedFaults } from '@weft/overlay'
import { namesOf } from './names-of.ts'
import type { NetworkChecked } from './network-checked.ts'
import type { Check } from './node-checks.ts'

/**
 * How many validators answer, of how many that must. Fewer are a fault of the network, which this node shares; none to
 * spare works, and is worth knowing.
 */
export function quorumCheck({ overlay }: Pick<NetworkChecked, 'overlay'>): Check {
  const { number } = overlay.term()
  const seats = overlay.seats()
  const tolerated = Math.max(0, toleratedFaults(seats.length))
  const silent = seats.filter(({ state }) => state === 'silent')
  const tried = seatWords(seats) + (number === 0 ? '' : `; of term ${number}`)
  if (silent.length > tolerated) return { name: 'quorum', tried, fault: lost(seats, silent) }
  const notice =
    tolerated === 0 ? fewSeats(seats.length) : silent.length === tolerated ? noneToSpare(silent) : undefined
  return { name: 'quorum', tried, fault: undefined, ...(notice !== undefined && { notice }) }
}

/** `4 of 6 validators answer, 5 needed; missing: …Xk3f9QpA (left the map)` */
function seatWords(seats: readonly SeatStatus[]): string {
  const silent = seats.filter(({ state }) => state === 'silent')
  const unknown = seats.filter(({ state }) => state === 'unknown')
  const answering = seats.length - silent.length - unknown.length
  return [
    `${answering} of ${seats.length} validators answer, ${quorumOf(seats.length)} needed`,
    ...(silent.length === 0 ? [] : [`missing: ${missing(silent)}`]),
    ...(unknown.length === 0 ? [] : [`not known of ${namesOf(unknown)}`]),
  ].join('; ')
}

function missing(silent: readonly SeatStatus[]): string {
  const away = silent.filter(({ inMap }) => inMap)
  const gone = silent.filter(({ inMap }) => !inMap)
  return [
    ...(away.length === 0 ? [] : [namesOf(away)]),
    ...(gone.length === 0 ? [] : [`${namesOf(gone)} (left the map)`]),
  ].join(', ')
}

function lost(seats: readonly SeatStatus[], silent: readonly SeatStatus[]): Fault {
  const needed = quorumOf(seats.length)
  const left = seats.length - silent.length
  const others = seats.length - 1
  return {
    code: 'E_QUORUM_LOST',
    cause: `${silent.length} of the ${seats.length} validators do not answer this node (${missing(silent)}); ${left} at most are left, and ${needed} must sign. Nobody is admitted, and the signed map grows old.`,
    fix:
      silent.length >= others
        ? 'Check the network of this machine first, as no other validator answers (weft peers); then bring the validators back.'
        : 'Bring missing validators back. Others take the seats of silent ones only where the map has more other members than validators; E_MAP_STALE, once it shows, tells whether and when.',
  }
}

function fewSeats(count: number): Fault {
  return {
    code: 'E_QUORUM_FRAGILE',
    cause: `Of the ${count} validators of this network none may be down: without one nobody is admitted, and the signed map grows old.`,
    fix: 'Begin networks that matter with four validators or more: weft network create with --validator for each.',
  }
}

function noneToSpare(silent: readonly SeatStatus[]): Fault {
  return {
    code: 'E_QUORUM_FRAGILE',
    cause: `As many validators are missing as may be (${missing(silent)}): when one more is down, nobody is admitted, and the signed map grows old.`,
    fix: 'Bring the missing validators back; weft peers tells what was tried for each.',
  }
}
