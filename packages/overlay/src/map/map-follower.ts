import {
  type Clock,
  type Logger,
  type Random,
  Semaphore,
  WeftError,
  equalBytes,
  isWeftError,
  messageOf,
  shuffled,
} from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import type { SignedMap } from '@weft/wire'
import type { Rpc } from '../rpc.ts'
import { fetchList } from './fetch-list.ts'
import { firstOf } from './first-of.ts'
import { inSlices } from './in-slices.ts'
import type { MapBody } from './map-body.ts'
import type { EntryChanges } from './map-history.ts'
import { MapSource } from './map-source.ts'
import type { SignedMembership } from './signed-membership.ts'

export interface MapFollowerInit {
  readonly membership: SignedMembership
  readonly rpc: Pick<Rpc, 'call'>
  /** Nodes with an open connection. */
  readonly connected: () => readonly DidKey[]
  /** Gets the terms of validators up to this number, which a node says that it knows. */
  readonly followTerm?: (source: DidKey, number: number, signal: AbortSignal) => Promise<void>
  /** Entries that this node made or signed itself, by root. */
  readonly ownEntries: (root: Uint8Array) => readonly Uint8Array[] | undefined
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** Nodes asked for one map or its entries before giving up for now. */
const SOURCES = 4
/** ms after which the entries are asked of one more node beside those that are at it. */
const PATIENCE_MS = 3_000
/** Maps that wait while one is being fetched; a newer one comes every epoch anyway. */
const WAITING = 8

/** Brings new maps into the membership, from whoever has them: what they say is verified, so it does not matter who. */
export class MapFollower {
  readonly #init: MapFollowerInit
  readonly #turns = new Semaphore(1)

  constructor(init: MapFollowerInit) {
    this.#init = init
  }

  /**
   * Takes a map that somebody sent: verifies it, fetches the entries if its root is new, adopts it. Only a map whose
   * entries have to be fetched waits for its turn.
   * True when it was adopted, false when it is no newer than the one that is held or could not be completed now.
   * @throws WeftError of the check that it failed
   */
  async offer(map: SignedMap, from: DidKey | undefined, signal: AbortSignal): Promise<boolean> {
    const known = await this.#adoptKnown(map, signal)
    if (typeof known === 'boolean') return known
    if (this.#turns.waiting >= WAITING) return false
    return this.#turns.use(async () => {
      const body = await this.#adoptKnown(map, signal)
      return typeof body === 'boolean' ? body : this.#adoptFetched(map, body, this.#sources(from), signal)
    }, signal)
  }

  /**
   * Takes a map with what changed since the one with the root `from`. False when that is not the one that is held.
   * @param changes from anywhere
   * @throws WeftError E_MAP_ENTRIES, E_CERTIFICATE_MALFORMED and those of the checks that the map failed
   */
  async offerChanges(map: SignedMap, from: Uint8Array, changes: EntryChanges, signal: AbortSignal): Promise<boolean> {
    const { membership } = this.#init
    const held = membership.heldList()
    if (held === undefined || !equalBytes(held.root, from)) return false
    const body = membership.verify(map)
    membership.adopt(map, await inSlices(membership.reader.changed(body, held, changes), signal))
    return true
  }

  /** Asks connected nodes for their newest map until one was adopted. True when one was. */
  async pull(signal: AbortSignal): Promise<boolean> {
    const { rpc, followTerm, logger } = this.#init
    for (const source of this.#sources(undefined)) {
      try {
        const { map, term } = await rpc.call(source, 'map.head', {}, { signal })
        // First what the validators that are known signed: whoever tells of others has to prove that these are gone.
        const isTaken = map !== undefined && (await this.#offerOfKnown(map, source, signal))
        await followTerm?.(source, term, signal)
        if (isTaken || (map !== undefined && (await this.offer(map, source, signal)))) return true
      } catch (error) {
        if (signal.aborted) return false
        logger.debug('no map from this node', { node: shortId(source), error: messageOf(error) })
      }
    }
    return false
  }

  /** As `offer`; false for a map that other validators signed than those that are known. */
  async #offerOfKnown(map: SignedMap, from: DidKey, signal: AbortSignal): Promise<boolean> {
    try {
      return await this.offer(map, from, signal)
    } catch (error) {
      if (isWeftError(error, 'E_MAP_QUORUM')) return false
      throw error
    }
  }

  /** Adopts a map whose entries are at hand. Its body when they are not, false when it is no newer than the one held. */
  async #adoptKnown(map: SignedMap, signal: AbortSignal): Promise<boolean | MapBody> {
    const { membership, ownEntries } = this.#init
    try {
      const body = membership.verify(map)
      const list = membership.list(body.root)
      const own = list === undefined ? ownEntries(body.root) : undefined
      if (list !== undefined) membership.adopt(map, list)
      else if (own !== undefined) await membership.adoptInSlices(map, own, signal)
      else return body
      return true
    } catch (error) {
      if (isWeftError(error, 'E_MAP_OLD')) return false
      throw error
    }
  }

  async #adoptFetched(
    map: SignedMap,
    body: MapBody,
    sources: readonly DidKey[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const { membership, clock, logger } = this.#init
    const attempt = async (source: DidKey, lasting: AbortSignal): Promise<boolean> => {
      try {
        const held = membership.heldList()
        membership.adopt(
          map,
          await fetchList(new MapSource(this.#init, source), membership.reader, held, body, lasting),
        )
        return true
      } catch (error) {
        // A newer one came meanwhile, by another way.
        if (isWeftError(error, 'E_MAP_OLD')) return false
        const code = error instanceof WeftError ? error.code : undefined
        if (!lasting.aborted)
          logger.debug('no entries from this node', { node: shortId(source), code, error: messageOf(error) })
        throw error
      }
    }
    return (await firstOf(clock, sources, PATIENCE_MS, attempt, signal)) ?? false
  }

  /** Whom to ask: who sent it, then some that are connected, validators first. */
  #sources(first: DidKey | undefined): DidKey[] {
    const { membership, connected, random } = this.#init
    const others = shuffled(random, connected()).filter((id) => id !== first)
    others.sort((a, b) => Number(membership.isValidator(b)) - Number(membership.isValidator(a)))
    return [...(first === undefined ? [] : [first]), ...others].slice(0, SOURCES)
  }
}
