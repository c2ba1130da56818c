import { printable, wait } from '@weft/core'
import { referencedClock } from '@weft/devnet'
import type { TakeoverAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import { confirm } from '../program/confirm.ts'
import type { Invocation } from '../program/invocation.ts'

/** ms before it says that it takes a while. */
const TELL_AFTER_MS = 1_000

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  if (!invocation.flag('yes')) {
    await confirm('Take over? What only this machine has written of your buckets is given up.', invocation)
  }
  const over = new AbortController()
  const told = wait(referencedClock, TELL_AFTER_MS, AbortSignal.any([signal, over.signal])).then(
    () => output.note('takeover: the log of your buckets is read from the network'),
    () => {},
  )
  try {
    const api = openApi(invocation)
    const { buckets } = await api.json<TakeoverAnswer>('POST', '/api/v1/s3/takeover', undefined, { signal })
    output.document({ buckets })
    const names = buckets.map((name) => printable(name)).join(', ')
    output.print(`This machine writes your buckets now: ${buckets.length === 0 ? 'there are none yet' : names}`)
  } finally {
    over.abort()
    await told
  }
}
