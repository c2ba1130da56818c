import { printable, wait } from '@weft/core'
import { type ApiClient, referencedClock } from '@weft/devnet'
import type { ObjectsAnswer, RemovalAnswer, RemovalsAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import { formatBytes } from '../output/format.ts'
import { receiptTable, removalLines } from '../output/removal-lines.ts'
import { confirm } from '../program/confirm.ts'
import type { Invocation } from '../program/invocation.ts'
import { notOwnObject, objectIdIn, ownObject } from '../program/own-object.ts'
import { referenceArgument } from '../program/reference-argument.ts'

/** ms between two words of how far it is. */
const TELL_EVERY_MS = 1_000

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const target = await referenceArgument(invocation)
  const api = openApi(invocation)
  const removal = await removalOf(invocation, api, target, signal)
  output.document({ ...removal })
  output.print(...removalLines(removal, output))
  if (!invocation.flag('proof')) return
  output.print('', ...receiptTable(removal))
  output.note(
    'A receipt is the word of a holder, no proof that it kept no copy: the destroyed key is what makes it useless.',
  )
}

/** Removes the object, or tells of one that was removed before; then it is asked again only without --proof. */
async function removalOf(
  invocation: Invocation,
  api: ApiClient,
  target: string,
  signal: AbortSignal,
): Promise<RemovalAnswer> {
  const { objects } = await api.json<ObjectsAnswer>('GET', '/api/v1/objects', undefined, { signal })
  const own = ownObject(objects, target)
  if (own !== undefined) {
    if (!invocation.flag('yes')) {
      const what = `${printable(own.name)} (${formatBytes(own.size)}, object ${own.object.slice(0, 8)}…)`
      await confirm(`Remove ${what}? Nobody can read it again, whoever has its reference.`, invocation)
    }
    return remove(invocation, api, own.object)
  }
  const { removals } = await api.json<RemovalsAnswer>('GET', '/api/v1/removals', undefined, { signal })
  const object = objectIdIn(target) ?? removals.find(({ name }) => name === target)?.object
  if (object === undefined) throw notOwnObject(target, 'removes')
  const isOver = removals.some((one) => one.object === object && (one.state !== 'open' || invocation.flag('proof')))
  if (!isOver) return remove(invocation, api, object)
  return api.json<RemovalAnswer>('GET', `/api/v1/objects/${object}/removal`, undefined, { signal })
}

/** Tells how many holders signed while it takes longer than a second. */
async function remove({ output, signal }: Invocation, api: ApiClient, object: string): Promise<RemovalAnswer> {
  const over = new AbortController()
  const telling = AbortSignal.any([signal, over.signal])
  const tell = async (): Promise<void> => {
    for (;;) {
      await wait(referencedClock, TELL_EVERY_MS, telling)
      const path = `/api/v1/objects/${object}/removal`
      const { holders } = await api.json<RemovalAnswer>('GET', path, undefined, { signal: telling })
      const deleted = holders.filter(({ state }) => state === 'deleted').length
      output.note(`rm: ${deleted} of ${holders.length} holders signed that they deleted it`)
    }
  }
  const told = tell().catch(() => {})
  try {
    return await api.json<RemovalAnswer>('DELETE', `/api/v1/objects/${object}`, undefined, { signal })
  } finally {
    over.abort()
    await told
  }
}
