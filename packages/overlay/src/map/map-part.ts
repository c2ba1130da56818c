import { WeftError } from '@weft/core'
import type { AgreedPart } from '../agreement/agreed-parts.ts'
import { decodeMapBody } from './map-body.ts'
import type { MapJudge } from './map-judge.ts'
import type { MapProposer } from './map-proposer.ts'

export interface MapPartInit {
  readonly proposer: Pick<MapProposer, 'isReady' | 'propose'>
  readonly judge: Pick<MapJudge, 'verdict'>
  readonly onAgreed: (epoch: number, body: Uint8Array) => void
}

/** The map body as a part of what validators agree on (docs/specs/map.md, Making it). */
export function mapPart({ proposer, judge, onAgreed }: MapPartInit): AgreedPart {
  return {
    name: 'map',
    isReady: () => proposer.isReady(),
    propose: (epoch) => proposer.propose(epoch),
    // A body of another epoch may have been found good in its own.
    judge: (epoch, body) => (epochIn(body) === epoch ? judge.verdict(body) : false),
    decided: onAgreed,
  }
}

function epochIn(body: Uint8Array): number | undefined {
  try {
    return decodeMapBody(body).epoch
  } catch (error) {
    if (error instanceof WeftError) return undefined
    throw error
  }
}
