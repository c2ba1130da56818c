import { type Clock, type Logger, type Random, messageOf, shuffled, throwIfAborted, wait } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import type { Network } from '../network/network.ts'
import type { Rpc } from '../rpc.ts'
import { refuseSuccession } from './refuse-succession.ts'
import type { Terms } from './terms.ts'

export interface FollowTermInit {
  readonly network: Network
  readonly terms: Terms
  readonly rpc: Pick<Rpc, 'call'>
}

/** Terms that are taken over in one go: whoever has all seats of one can make any number behind it. */
const MOST_IN_ONE_GO = 4_096
/** Terms that are asked for at a time; the first alone, then twice as many as before while they hold. */
const MOST_AT_A_TIME = 16

/**
 * Gets the terms behind the newest that is known, one after the other, from a node that says that it knows so many. Each
 * is verified, so it does not matter who that is. @throws WeftError E_SUCCESSION and those of the call
 */
export async function followTerm(
  init: FollowTermInit,
  source: DidKey,
  number: number,
  signal: AbortSignal,
): Promise<void> {
  const last = Math.min(number, init.network.term.number + MOST_IN_ONE_GO)
  const isTold = await takeTerms(init, source, last, signal)
  if (!isTold) {
    const next = init.network.term.number + 1
    throw refuseSuccession(`the node that names term ${number} does not tell of term ${next}`)
  }
}

/** False when the source knows of no further one. @throws WeftError E_SUCCESSION and those of the call */
async function takeTerms(
  { network, terms, rpc }: FollowTermInit,
  source: DidKey,
  last: number,
  signal: AbortSignal,
): Promise<boolean> {
  for (let many = 1; network.term.number < last; many = Math.min(2 * many, MOST_AT_A_TIME)) {
    const first = network.term.number + 1
    const numbers = Array.from({ length: Math.min(many, last - first + 1) }, (_, at) => first + at)
    const told = await Promise.all(numbers.map(async (number) => rpc.call(source, 'term.get', { number }, { signal })))
    for (const [at, { succession }] of told.entries()) {
      const next = first + at
      if (succession === undefined) return false
      if (!terms.offer(succession) && network.term.number < next)
        throw refuseSuccession(`in place of term ${next} another was told`)
    }
  }
  return true
}

export interface AskForTermsInit extends FollowTermInit {
  readonly connected: () => readonly DidKey[]
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** Map epochs between two questions. */
const ASK_EVERY_EPOCHS = 4

/**
 * Asks some connected node now and then for the next terms, until the signal fires. Maps alone do not bring it to whoever
 * was apart from the others together with a quorum of the validators before: there nothing is lacking.
 * @throws WeftError E_ABORTED
 */
export async function askForTerms(init: AskForTermsInit, signal: AbortSignal): Promise<never> {
  const { network, connected, clock, random, logger } = init
  for (;;) {
    await wait(clock, ASK_EVERY_EPOCHS * network.file.mapEpochMs, signal)
    const [source] = shuffled(random, connected())
    if (source === undefined) continue
    try {
      await takeTerms(init, source, network.term.number + MOST_IN_ONE_GO, signal)
    } catch (error) {
      throwIfAborted(signal)
      logger.debug('no term from this node', { node: shortId(source), cause: messageOf(error) })
    }
  }
}
