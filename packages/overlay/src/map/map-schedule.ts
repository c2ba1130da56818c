import { type Clock, throwIfAborted, wait } from '@weft/core'
import { epochAt, epochStart } from '../network/epoch.ts'
import type { Network } from '../network/network.ts'

export interface MapScheduleInit {
  readonly network: Network
  readonly clock: Clock
  /** Epoch of the map that is held. */
  readonly heldEpoch: () => number | undefined
  /** Asks others for the newest map, beside the epochs, one question at a time; a failure is its own to note. */
  readonly pull: (signal: AbortSignal) => Promise<unknown>
  /** Whether gossip brings maps to this node, as it does to members only; default: it does. */
  readonly hearsGossip?: () => boolean
}

/** Times per epoch that a node without the map that it should have asks for one. */
const TRIES = 5
/** ms between questions of a node without any map, at most. */
const LONGEST_FIRST_WAIT = 2_000

/**
 * Runs the epochs of one node until the signal fires: asks for the map when gossip was silent.
 */
export async function followEpochs(init: MapScheduleInit, signal: AbortSignal): Promise<never> {
  const { network, clock, heldEpoch, pull, hearsGossip = () => true } = init
  const { mapEpochMs } = network.file
  const step = mapEpochMs / TRIES
  let pulling: Promise<unknown> | undefined
  try {
    for (;;) {
      throwIfAborted(signal)
      const epoch = epochAt(network.file, clock.now())
      const end = epochStart(network.file, epoch + 1)
      while (clock.now() < end && epochAt(network.file, clock.now()) === epoch) {
        const held = heldEpoch()
        // The map of this epoch may still be on its way; that of the last one should have come. To whom gossip brings
        // none, that of this epoch should be asked for as soon as the validators had the time to make it.
        const due = hearsGossip() || clock.now() < epochStart(network.file, epoch) + step ? epoch - 1 : epoch
        if (held === undefined || held < due) {
          pulling ??= pull(signal)
            .catch(() => {})
            .finally(() => (pulling = undefined))
        }
        const short = heldEpoch() === undefined ? Math.min(step, LONGEST_FIRST_WAIT) : step
        // A clock that was set back must not make the wait longer than the step.
        await wait(clock, Math.max(1, Math.min(short, end - clock.now())), signal)
      }
    }
  } finally {
    await pulling
  }
}
