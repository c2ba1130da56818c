import { type Clock, type Logger, type Random, messageOf, shuffled, wait } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import type { Network } from '../network/network.ts'
import type { Rpc } from '../rpc.ts'
import type { Transport } from '../transport/transport.ts'
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
  readonly onPeer: Transport['onPeer']
  /** Whether it is a member or a validator, as far as this node knows: others are asked beside these, and never in their place. */
  readonly isKnown: (id: DidKey) => boolean
  /** Whether maps have passed this node by. */
  readonly isBehind: () => boolean
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** Map epochs between two questions; each epoch while maps are missed. */
const ASK_EVERY_EPOCHS = 4
/** New connections that are asked in a map epoch at most, of members and validators and of all others apart. */
const MOST_NEW_ASKED = 16

/**
 * Asks each node to which there is a new connection, and some connected one now and then, for the next terms, until the
 * signal fires. Maps alone do not bring them to whoever was apart from the others together with a quorum of the
 * validators before: there nothing is lacking. @throws WeftError E_ABORTED
 */
export async function askForTerms(init: AskForTermsInit, signal: AbortSignal): Promise<never> {
  const { network, connected, onPeer, isKnown, isBehind, clock, random, logger } = init
  let left = { known: MOST_NEW_ASKED, others: MOST_NEW_ASKED }
  const ask = async (source: DidKey): Promise<void> => {
    try {
      await takeTerms(init, source, network.term.number + MOST_IN_ONE_GO, signal)
    } catch (error) {
      if (!signal.aborted) logger.debug('no term from this node', { node: shortId(source), cause: messageOf(error) })
    }
  }
  const askOfEpoch = (id: DidKey): void => {
    if (left[isKnown(id) ? 'known' : 'others']-- > 0) void ask(id)
  }
  const unsubscribe = onPeer((id, isConnected) => {
    if (isConnected) askOfEpoch(id)
  })
  try {
    for (const id of connected()) askOfEpoch(id)
    for (let epochs = 1; ; epochs++) {
      await wait(clock, network.file.mapEpochMs, signal)
      left = { known: MOST_NEW_ASKED, others: MOST_NEW_ASKED }
      if (epochs % ASK_EVERY_EPOCHS !== 0 && !isBehind()) continue
      const { known = [], others = [] } = Object.groupBy(shuffled(random, connected()), (id) =>
        isKnown(id) ? 'known' : 'others',
      )
      for (const source of [known[0], others[0]]) if (source !== undefined) await ask(source)
    }
  } finally {
    unsubscribe()
  }
}
