import { WeftError } from '@weft/core'
import type { AgreedPart } from '../agreement/agreed-parts.ts'
import type { AgreedValue } from '../agreement/agreed-value.ts'
import { type MapBody, decodeMapBody } from '../map/map-body.ts'
import type { BeaconCourse } from './beacon-course.ts'

export interface BeaconPartInit {
  readonly course: Pick<BeaconCourse, 'proposal' | 'judge' | 'decided'>
  /** A beacon that this validator has had since then must not be passed over, ms since the Unix epoch. */
  readonly since: (epoch: number) => number
  readonly now: () => number
  /** The course may have something to do. */
  readonly onTurn: () => void
}

/**
 * The inputs of an epoch's beacon as a part of what validators agree on, and what the map beside it says of beacons
 * (docs/specs/beacon.md, Inputs). Empty where none is made, so that a beacon that is not ready holds up no map.
 */
export function beaconPart({ course, since, now, onTurn }: BeaconPartInit): AgreedPart {
  return {
    name: 'beacon',
    isReady: () => true,
    propose: (epoch) => course.proposal(epoch).inputs,
    judge: (epoch, inputs, whole) => {
      const body = mapIn(whole)
      const verdict = body === undefined ? false : course.judge(epoch, inputs, body, since(epoch))
      onTurn()
      return verdict
    },
    decided: (epoch, inputs, whole) => {
      const body = mapIn(whole)
      if (body !== undefined) course.decided(epoch, inputs, body, now())
      onTurn()
    },
  }
}

function mapIn(whole: AgreedValue): MapBody | undefined {
  const bytes = whole.get('map')
  if (bytes === undefined) return undefined
  try {
    return decodeMapBody(bytes)
  } catch (error) {
    if (error instanceof WeftError) return undefined
    throw error
  }
}
