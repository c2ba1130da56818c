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
const MOST_AT_ONCE = 16

/**
 * Gets the terms behind the newest that is known, one after the other, from a node that says that it knows so many. Each
 * is verified, so it does not matter who that is. @throws WeftError E_SUCCESSION and those of the call
 */
export async function followTerm(
  { network, terms, rpc }: FollowTermInit,
  source: DidKey,
  number: number,
  signal: AbortSignal,
): Promise<void> {
  const last = Math.min(number, network.term.number + MOST_AT_ONCE)
  while (network.term.number < last) {
    const next = network.term.number + 1
    const { succession } = await rpc.call(source, 'term.get', { number: next }, { signal })
    if (succession === undefined)
      throw refuseSuccession(`the node that names term ${number} does not tell of term ${next}`)
    if (!terms.offer(succession) && network.term.number < next)
      throw refuseSuccession(`in place of term ${next} another was told`)
  }
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
 * Asks some connected node now and then for the next term, until the signal fires. Maps alone do not bring it to whoever
 * was apart from the others together with a quorum of the validators before: there nothing is lacking.
 * @throws WeftError E_ABORTED
 */
export async function askForTerms(init: AskForTermsInit, signal: AbortSignal): Promise<never> {
  const { network, terms, rpc, connected, clock, random, logger } = init
  for (;;) {
    await wait(clock, ASK_EVERY_EPOCHS * network.file.mapEpochMs, signal)
    const [source] = shuffled(random, connected())
    if (source === undefined) continue
    try {
      const { succession } = await rpc.call(source, 'term.get', { number: network.term.number + 1 }, { signal })
      if (succession !== undefined) terms.offer(succession)
    } catch (error) {
      throwIfAborted(signal)
      logger.debug('no term from this node', { node: shortId(source), cause: messageOf(error) })
    }
  }
}
