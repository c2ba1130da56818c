import { type Clock, type Logger, Semaphore, WeftError, messageOf } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import { type MapBody, decodeMapBody } from '../map/map-body.ts'
import { listOf } from '../map/map-server.ts'
import { STALE_EPOCHS, type SignedMembership } from '../map/signed-membership.ts'
import type { Member } from '../member.ts'
import { epochAt } from '../network/epoch.ts'
import type { Network } from '../network/network.ts'
import type { Revocations } from '../revocation/revocations.ts'
import { placingOf, standing } from '../records/placing.ts'
import type { Rpc } from '../rpc.ts'
import { answerClosest } from './answer-closest.ts'
import { type ToldHead, chooseHead } from './choose-head.ts'
import { gatherHeads } from './gather-heads.ts'
import { HeadChecks } from './head-checks.ts'
import type { LearntMembers } from './learnt-members.ts'
import { LOOKUP_LIMITS, type LookupLimits, MAX_KNOWN } from './lookup-limits.ts'
import type { LookupOutcome, LookupResult } from './lookup-result.ts'
import { readClosest } from './read-closest.ts'
import { runLookup } from './run-lookup.ts'

export interface LookupServiceInit {
  readonly self: DidKey
  readonly network: Network
  readonly membership: SignedMembership
  readonly revocations: Pick<Revocations, 'voids'>
  readonly rpc: Rpc
  /** Whom to begin with; another order each time. */
  readonly starts: () => readonly DidKey[]
  /** Takes in whoever is found, so that they can be dialled. */
  readonly learnt: LearntMembers
  readonly clock: Clock
  readonly logger: Logger
  readonly limits?: LookupLimits
}

/** Lookups at once, and lookups that wait: each may have `questions` calls under way. */
const AT_ONCE = 8
const MAX_WAITING = 64
/** Maps that a lookup is tried by: the network may have gone on to newer ones while it ran. */
const ATTEMPTS = 2

/** Finds the members closest to a target without the whole map, and answers those who do (docs/specs/lookup.md). */
export class LookupService {
  readonly #init: LookupServiceInit
  readonly #limits: LookupLimits
  readonly #turns = new Semaphore(AT_ONCE)

  /** Registers its call at once. */
  constructor(init: LookupServiceInit) {
    this.#init = init
    this.#limits = init.limits ?? LOOKUP_LIMITS
    init.rpc.handle('lookup.closest', async ({ target, root, known }) => {
      const { positions, entries, proof } = answerClosest(listOf(init.membership, root), { target, known })
      return { positions: [...positions], entries: [...entries], proof }
    })
  }

  /**
   * The members closest to `target` (32 bytes), those that hold a record of this key.
   * @throws WeftError E_LOOKUP_FAILED, E_ABORTED
   */
  async find(target: Uint8Array, signal: AbortSignal): Promise<LookupResult> {
    if (this.#turns.waiting >= MAX_WAITING) throw failed(`${MAX_WAITING} lookups wait for their turn already`)
    return this.#turns.use(() => this.#find(target, signal), signal)
  }

  async #find(target: Uint8Array, signal: AbortSignal): Promise<LookupResult> {
    const { network, clock, revocations } = this.#init
    let asked = 0
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const starts = this.#init.starts()
      const { told, silent } = await this.#heads(starts, signal)
      const body = chooseHead(told)
      if (body === undefined) throw failed(`none of ${starts.length} nodes told of a signed map that holds`)
      const behind = told.flatMap(({ by, body: { epoch } }) => (epoch < body.epoch ? [by] : []))
      const last = new Set([...silent, ...behind])
      const ordered = [...starts.filter((id) => !last.has(id)), ...starts.filter((id) => last.has(id))]
      const outcome = await this.#findBy(body, target, ordered, signal)
      asked += outcome.failed.length
      // Nobody answers when the map was replaced twice meanwhile: then by a newer one.
      if (outcome.members.length === 0) continue
      const members = outcome.members.filter(
        ({ id, certificateEpoch }) => !revocations.voids({ id, issuedEpoch: certificateEpoch }),
      )
      const stale = epochAt(network.file, clock.now()) - body.epoch > STALE_EPOCHS
      return { ...outcome, members, epoch: body.epoch, count: standing(body), stale }
    }
    throw failed(`none of ${asked} nodes that were asked gave an answer that holds`)
  }

  /** Heads of the maps of several nodes, and who told of none; more are asked while nobody did. */
  async #heads(
    starts: readonly DidKey[],
    signal: AbortSignal,
  ): Promise<{ told: readonly ToldHead[]; silent: readonly DidKey[] }> {
    const { self, membership, network, rpc, clock, logger } = this.#init
    const checks = new HeadChecks(network, clock)
    const own = membership.head()
    const told: ToldHead[] = own === undefined ? [] : [{ body: decodeMapBody(own.body), by: self }]
    const ask = async (node: DidKey, lasting: AbortSignal): Promise<MapBody> => {
      try {
        const { map } = await rpc.call(node, 'map.head', {}, { signal: lasting, timeoutMs: this.#limits.deadlineMs })
        if (map === undefined) throw failed(`${shortId(node)} has no map`)
        return checks.verify(map)
      } catch (error) {
        if (!lasting.aborted) logger.debug('no map from this node', { node: shortId(node), error: messageOf(error) })
        throw error
      }
    }
    const asked: DidKey[] = []
    while (asked.length < starts.length && !told.some(({ by }) => by !== self)) {
      const nodes = starts.slice(asked.length, asked.length + this.#limits.paths)
      asked.push(...nodes)
      told.push(...(await gatherHeads({ nodes, ask, clock, limits: this.#limits }, signal)))
    }
    return { told, silent: asked.filter((id) => !told.some(({ by }) => by === id)) }
  }

  async #findBy(
    body: MapBody,
    target: Uint8Array,
    starts: readonly DidKey[],
    signal: AbortSignal,
  ): Promise<LookupOutcome> {
    const { self, rpc, clock, learnt, logger } = this.#init
    const known = new Map<number, Member>()
    const ask = async (node: DidKey, lasting: AbortSignal): Promise<readonly Member[]> => {
      const question = { target, known: [...known.keys()].slice(0, MAX_KNOWN).sort((a, b) => a - b) }
      try {
        const answer = await rpc.call(
          node,
          'lookup.closest',
          { root: body.root, ...question },
          { signal: lasting, timeoutMs: this.#limits.totalMs },
        )
        const members = readClosest(body, question, answer, known)
        learnt.note(members)
        return members
      } catch (error) {
        if (!lasting.aborted)
          logger.debug('no members closest to a target from this node', {
            node: shortId(node),
            code: error instanceof WeftError ? error.code : undefined,
            error: messageOf(error),
          })
        throw error
      }
    }
    const init = { target, count: standing(body), placing: placingOf(body), starts, self, limits: this.#limits }
    return runLookup(init, ask, clock, signal)
  }
}

function failed(why: string): WeftError {
  return new WeftError({
    code: 'E_LOOKUP_FAILED',
    cause: `The members closest to a target were not found: ${why}.`,
    fix: 'Try again when more nodes are reachable (`weft peers`); look at the network with `weft check`.',
    retryable: true,
  })
}
