import { type Logger, messageOf } from '@weft/core'
import type { DidKey, SigningKey } from '@weft/crypto'
import { authorizeRelease } from '../holder/shard-authorization.ts'
import type { HolderLinks } from './holder-links.ts'
import type { OpenHolder } from './open-holder.ts'

/** Who may have shards of a put, and what those are asked to release that have no seat any more. */
export class ShardReleases {
  readonly #key: SigningKey
  readonly #links: HolderLinks
  readonly #logger: Logger
  readonly #mayHave = new Set<DidKey>()
  readonly #underWay: Promise<void>[] = []

  constructor(key: SigningKey, links: HolderLinks, logger: Logger) {
    this.#key = key
    this.#links = links
    this.#logger = logger
  }

  /** Everyone that may have been sent something, less those that let go of it for certain. */
  get mayHave(): readonly DidKey[] {
    return [...this.#mayHave]
  }

  /** From here on it may be sent shards. */
  opened({ id }: OpenHolder): void {
    this.#mayHave.add(id)
  }

  /** Has one that fell out let go of what it has: it would end by itself with its stream; this way its room is free at once. */
  drop(holder: OpenHolder): void {
    const { id } = holder
    const dropping = this.release(holder).catch((error: unknown) => {
      this.#logger.debug('storage: a holder that fell out could not be told', { node: id, error: messageOf(error) })
    })
    this.#underWay.push(dropping)
  }

  /** Resolves when the holder let go of all that it had. By the stream of the put, behind it, or by another when that broke. */
  async release(holder: OpenHolder, signal?: AbortSignal): Promise<void> {
    const client = await this.#links.client(holder.id)
    await client.release(authorizeRelease(this.#key), signal)
    // What came whole by a stream that broke may reach the disk after this.
    if (client === holder.client && !holder.isReopened) this.#mayHave.delete(holder.id)
  }

  /** Also waits for what is under way. @throws what the first failed with, after all have ended */
  async releaseAll(
    holders: readonly OpenHolder[],
    others: Iterable<Promise<void>>,
    signal: AbortSignal,
  ): Promise<void> {
    const releases = holders.map((holder) => this.release(holder, signal))
    const results = await Promise.allSettled([...releases, ...others, ...this.#underWay])
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }
}
