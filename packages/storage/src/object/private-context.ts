import { WeftError } from '@weft/core'
import type { OpenPrivate } from '../storage.ts'
import type { ObjectContext } from './object-context.ts'
import { ObjectRecords } from './object-records.ts'

/** The context of one private transfer; `close` ends what it has to others. Twice does nothing. */
export interface PrivateContext {
  readonly context: ObjectContext
  readonly close: () => Promise<void>
}

/** ms that a holder has to take a stream over a route, which may have to be built anew. */
const OPEN_MS = 20_000

/**
 * A context whose records and streams go over routes, and by a key that nothing else has.
 * @throws WeftError E_PRIVATE_UNAVAILABLE, and why there is no route
 */
export async function privateContext(
  context: ObjectContext,
  open: OpenPrivate | undefined,
  signal: AbortSignal,
): Promise<PrivateContext> {
  if (open === undefined) throw unavailable()
  const caller = await open(signal)
  const { self, records, streams } = caller
  const own = { self, streams, records: new ObjectRecords(records, context.clock), openMs: OPEN_MS, isPrivate: true }
  return { context: { ...context, ...own }, close: async () => caller[Symbol.asyncDispose]() }
}

function unavailable(): WeftError {
  return new WeftError({
    code: 'E_PRIVATE_UNAVAILABLE',
    cause: 'This node has no routes over which a private transfer could go.',
    fix: 'Run it with the VPN, or transfer without --private, by which holders see the address of this node.',
  })
}
