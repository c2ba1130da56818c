import { WeftError } from '@weft/core'
import type { BeaconDealing, BeaconGetResponse, BeaconPullRequest, BeaconPullResponse } from '@weft/wire'
import { ofBits, toBits } from '../codec/bit-set.ts'
import { MAX_EPOCH } from '../network/epoch.ts'
import type { RequestInitOf, ResponseInitOf } from '../rpc.ts'
import type { Beacon } from './beacon.ts'
import type { CourseAnswer, CourseWant } from './beacon-course.ts'
import { type SignedDealing, refuseDealing } from './dealing.ts'
import { MAX_SEATS } from '../network/quorum.ts'

/** @throws WeftError E_BEACON_QUESTION */
export function epochFromWire(epoch: bigint): number {
  if (epoch > BigInt(MAX_EPOCH)) throw refuse(`it is of epoch ${epoch}`)
  return Number(epoch)
}

/** @throws WeftError E_BEACON_DEALING */
export function dealingFromWire(dealing: Pick<BeaconDealing, 'body' | 'signature'> | undefined): SignedDealing {
  if (dealing === undefined) throw refuseDealing('the message has none')
  return { body: dealing.body, signature: dealing.signature }
}

export function wantToWire({ epoch, inputs, dealings, shares, seats }: CourseWant): RequestInitOf<'beacon.pull'> {
  return { epoch: BigInt(epoch), inputs, dealings: [...dealings], shares, seats: toBits(seats) }
}

/** @throws WeftError E_BEACON_QUESTION */
export function wantFromWire({ epoch, inputs, dealings, shares, seats }: BeaconPullRequest): CourseWant {
  if (dealings.length > MAX_SEATS) throw refuse(`it names ${dealings.length} dealings`)
  return { epoch: epochFromWire(epoch), inputs, dealings, shares, seats: ofBits(seats, MAX_SEATS, refuse) }
}

export function answerToWire({ inputs, dealings, shares }: CourseAnswer): ResponseInitOf<'beacon.pull'> {
  return { ...(inputs === undefined ? {} : { inputs }), dealings: [...dealings], shares: [...shares] }
}

export function answerFromWire({ inputs, dealings, shares }: BeaconPullResponse): CourseAnswer {
  return { inputs: inputs.length === 0 ? undefined : inputs, dealings: dealings.map(dealingFromWire), shares }
}

export function beaconToWire(beacon: Beacon | undefined): ResponseInitOf<'beacon.get'> {
  if (beacon === undefined) return {}
  const { epoch, value, previous } = beacon
  return { beacon: { epoch: BigInt(epoch), value, previous: BigInt(previous + 1) } }
}

/** @throws WeftError E_BEACON_QUESTION */
export function beaconFromWire({ beacon }: BeaconGetResponse): Beacon | undefined {
  if (beacon === undefined) return undefined
  if (beacon.value.length !== 32) throw refuse(`its value has ${beacon.value.length} bytes`)
  return { epoch: epochFromWire(beacon.epoch), value: beacon.value, previous: epochFromWire(beacon.previous) - 1 }
}

function refuse(why: string): WeftError {
  return new WeftError({
    code: 'E_BEACON_QUESTION',
    cause: `A message about a beacon is refused: ${why}.`,
    fix: 'The validator that sent it has to follow docs/specs/beacon.md; update the older of the two sides.',
  })
}
