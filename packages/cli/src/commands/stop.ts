import { WeftError, identifyProcess } from '@weft/core'
import { waitForExit } from '@weft/devnet'
import type { StatusAnswer } from '@weft/node'
import { drain } from '../daemon/drain.ts'
import { openApi } from '../daemon/open-api.ts'
import type { Invocation } from '../program/invocation.ts'

/** ms; the daemon promises to end within 10 s. */
const DEFAULT_TIMEOUT_MS = 15_000

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const api = openApi(invocation)
  const { node } = await api.json<StatusAnswer>('GET', '/api/v1/status', undefined, { signal })
  const identity = identifyProcess(node.pid)
  const drained = invocation.flag('drain') ? await drain(api, output, signal) : undefined
  await api.json('POST', '/api/v1/stop', {}, { signal })
  const timeoutMs = invocation.duration('timeout') ?? DEFAULT_TIMEOUT_MS
  if (identity !== undefined && !(await waitForExit(identity, timeoutMs, signal))) {
    throw new WeftError({
      code: 'E_TIMEOUT',
      cause: `Process ${node.pid} is still ending after ${timeoutMs / 1_000} s.`,
      fix: `See its log in ${node.home}/logs, or end it: kill -9 ${node.pid}`,
      retryable: true,
    })
  }
  output.document({ stopped: node.pid, ...(drained === undefined ? {} : { drained }) })
  if (drained !== undefined)
    output.note(`It left the network: of its ${drained.records} records enough others have ${drained.safe}.`)
  output.note(`The daemon of ${node.home} has stopped.`)
}
