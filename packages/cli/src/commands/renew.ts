import { wait } from '@weft/core'
import { type ApiClient, referencedClock } from '@weft/devnet'
import type { ObjectsAnswer, RenewalAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import { renewalLines } from '../output/renewal-lines.ts'
import type { Invocation } from '../program/invocation.ts'
import { notOwnObject, objectIdIn, ownObject } from '../program/own-object.ts'
import { referenceArgument } from '../program/reference-argument.ts'

/** ms between two words of how far it is. */
const TELL_EVERY_MS = 1_000
/** As short as the API takes. */
const MIN_SECONDS = 60
/** As of a put, ms. */
const DEFAULT_MS = 30 * 86_400_000

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const ttlMs = invocation.duration('for', MIN_SECONDS) ?? DEFAULT_MS
  const target = await referenceArgument(invocation)
  const api = openApi(invocation)
  const { objects } = await api.json<ObjectsAnswer>('GET', '/api/v1/objects', undefined, { signal })
  const object = ownObject(objects, target)?.object ?? objectIdIn(target)
  if (object === undefined) throw notOwnObject(target, 'renews')
  const renewal = await renew(invocation, api, object, ttlMs)
  output.document({ ...renewal })
  output.print(...renewalLines(renewal, output))
}

/** Tells how far it is while it takes longer than a second. */
async function renew(
  { output, signal }: Invocation,
  api: ApiClient,
  object: string,
  ttlMs: number,
): Promise<RenewalAnswer> {
  const path = `/api/v1/objects/${object}/renewal`
  const over = new AbortController()
  const telling = AbortSignal.any([signal, over.signal])
  const tell = async (): Promise<void> => {
    for (;;) {
      await wait(referencedClock, TELL_EVERY_MS, telling)
      const { records, holders } = await api.json<RenewalAnswer>('GET', path, undefined, { signal: telling })
      const renewed = holders.filter(({ state }) => state === 'renewed').length
      const total = records.total ?? 'all'
      output.note(`renew: ${records.renewed} of ${total} records, ${renewed} of ${holders.length} holders`)
    }
  }
  const told = tell().catch(() => {})
  try {
    return await api.json<RenewalAnswer>('POST', path, { ttlMs }, { signal })
  } finally {
    over.abort()
    await told
  }
}
