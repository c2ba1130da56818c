import { type Clock, type Random, isWeftError, randomInt, wait } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { PacketService } from '../../member.ts'
import type { Rpc } from '../../rpc.ts'
import { measureBandwidth } from './measure-bandwidth.ts'
import { type MeasuredSide, MeasuringLine } from './measuring-line.ts'

/** Packets that were sent, and those of them that nobody answered. */
export interface LossCount {
  readonly sent: number
  readonly lost: number
}

/** Counts what is lost between this node and where another takes packets. @throws WeftError when nothing could be counted */
export type LossGauge = (packets: PacketService, signal: AbortSignal) => Promise<LossCount>

/** What a validator measures with. */
export interface Gauges {
  /** Mbit/s each way, at most what is claimed; waits until neither side measures another. */
  bandwidth(
    rpc: Pick<Rpc, 'call'>,
    applicant: DidKey,
    nonce: Uint8Array,
    claimed: number,
    side: MeasuredSide,
    signal: AbortSignal,
  ): Promise<number>
  /** Undefined for a validator that carries no packets. */
  readonly loss: LossGauge | undefined
  /** Of a million parts of the last seven days, for how many a node was there; undefined for one that is not known for long. */
  availability(id: DidKey): number | undefined
}

export interface GaugesInit extends Pick<Gauges, 'loss' | 'availability'> {
  readonly clock: Clock
  readonly random: Random
}

/** ms, least and up to so much more, until an applicant that another measures is asked again. */
const PAUSE_MS = 100
const PAUSE_MORE_MS = 300

export function gaugesOf({ clock, random, loss, availability }: GaugesInit): Gauges {
  const line = new MeasuringLine(clock)
  return {
    loss,
    availability,
    async bandwidth(rpc, applicant, nonce, claimed, side, signal) {
      for (;;) {
        try {
          const init = { rpc, applicant, nonce, claimed, clock, random }
          return await line.use(side, () => measureBandwidth(init, signal), signal)
        } catch (error) {
          if (!isWeftError(error, 'E_BURST_BUSY')) throw error
          // The line is free meanwhile: who keeps a validator waiting keeps no other applicant waiting.
          await wait(clock, PAUSE_MS + randomInt(random, PAUSE_MORE_MS), signal)
        }
      }
    },
  }
}
