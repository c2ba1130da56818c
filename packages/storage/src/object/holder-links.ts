import { type Clock, WeftError, withTimeout } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import type { Streams } from '@weft/overlay'
import { ShardClient } from '../holder/shard-client.ts'

/** A holder that does not take a stream within this counts as unreachable, ms. */
export const OPEN_TIMEOUT_MS = 5_000
/** Streams that do not end by themselves within this are dropped, ms. */
const CLOSE_TIMEOUT_MS = 2_000

export interface HolderLinksOptions {
  readonly streams: Pick<Streams, 'open'>
  readonly openMs: number
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** The shard streams of one transfer: one a holder, opened when first needed and again when the former broke. */
export class HolderLinks implements AsyncDisposable {
  readonly #options: HolderLinksOptions
  readonly #clients = new Map<DidKey, Promise<ShardClient>>()
  readonly #opened = new Set<ShardClient>()
  readonly #failed = new Set<DidKey>()
  #closed = false

  constructor(options: HolderLinksOptions) {
    this.#options = options
  }

  /** True once a stream to the node could not be had, or was of no use (`blame`). */
  failed(node: DidKey): boolean {
    return this.#failed.has(node)
  }

  /** Holds against a node that it did not serve. */
  blame(node: DidKey): void {
    this.#failed.add(node)
  }

  /** @throws WeftError E_NODE_UNREACHABLE, E_ABORTED */
  async client(node: DidKey): Promise<ShardClient> {
    const existing = this.#clients.get(node)
    if (existing !== undefined) {
      const client = await existing
      if (client.failure === undefined) return client
    }
    // Another caller may have opened it again in the meantime.
    const current = this.#clients.get(node)
    if (current !== undefined && current !== existing) return current
    const opening = this.#open(node)
    this.#clients.set(node, opening)
    try {
      return await opening
    } catch (error) {
      this.#clients.delete(node)
      this.#failed.add(node)
      throw error
    }
  }

  /** Ends the streams: gracefully within a short time, then at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#opened].map((client) => this.#close(client)))
  }

  async #open(node: DidKey): Promise<ShardClient> {
    const { streams, openMs, clock, signal } = this.#options
    const stream = await withTimeout(
      clock,
      openMs,
      signal,
      () => unreachable(node, openMs),
      (limited) => streams.open(node, 'shard', limited),
    )
    const client = new ShardClient(stream)
    // A stream that came after the end is of use to nobody.
    if (this.#closed) client.abort(transferOver())
    else this.#opened.add(client)
    return client
  }

  async #close(client: ShardClient): Promise<void> {
    const late = transferOver()
    if (client.failure === undefined && !this.#options.signal.aborted) {
      await withTimeout(
        this.#options.clock,
        CLOSE_TIMEOUT_MS,
        undefined,
        () => late,
        () => client.close(),
      ).catch(() => {})
    }
    client.abort(late)
  }
}

function transferOver(): WeftError {
  return new WeftError({ code: 'E_ABORTED', cause: 'The transfer is over.', fix: 'Nothing to do.' })
}

function unreachable(node: DidKey, ms: number): WeftError {
  return new WeftError({
    code: 'E_NODE_UNREACHABLE',
    cause: `Node …${shortId(node)} did not take a shard stream within ${ms} ms.`,
    fix: `Look at it with \`weft ping ${node}\`.`,
    retryable: true,
    details: { node },
  })
}
