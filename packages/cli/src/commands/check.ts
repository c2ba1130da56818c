import { type Fault, isWeftError, wait, WeftError } from '@weft/core'
import { type ApiClient, referencedClock } from '@weft/devnet'
import { openApi } from '../daemon/open-api.ts'
import { faultLines } from '../output/fault-lines.ts'
import type { Invocation } from '../program/invocation.ts'

/** The part of `GET /readyz?verbose` that is shown. */
interface ReadyAnswer {
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly fault?: Fault }[]
}

/** ms between two looks of --wait. */
const LOOK_EVERY_MS = 500

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const api = openApi(invocation)
  const checks = invocation.flag('wait') ? await waitUntilOk(api, signal) : await readChecks(api, signal)
  const failed = checks.filter(({ ok }) => !ok)
  output.print(
    ...checks.flatMap(({ name, ok, fault }) => [
      `${ok ? output.styled('green', 'ok  ') : output.styled('red', 'FAIL')}  ${name}`,
      ...(ok || !fault ? [] : faultLines(fault, output)),
    ]),
  )
  if (failed.length > 0) throw checkError(failed)
  output.document({ ok: true, checks })
}

/** Until --timeout fires the signal: then the checks as they were last. */
async function waitUntilOk(api: ApiClient, signal: AbortSignal): Promise<ReadyAnswer['checks']> {
  let last: ReadyAnswer['checks'] | undefined
  try {
    for (;;) {
      last = await readChecks(api, signal)
      if (last.every(({ ok }) => ok)) return last
      await wait(referencedClock, LOOK_EVERY_MS, signal)
    }
  } catch (error) {
    if (isWeftError(error, 'E_TIMEOUT') && last !== undefined) return last
    throw error
  }
}

async function readChecks(api: ApiClient, signal: AbortSignal): Promise<ReadyAnswer['checks']> {
  const { body } = await api.probe('/readyz?verbose', { signal })
  try {
    const { checks } = JSON.parse(body) as Partial<ReadyAnswer>
    if (checks !== undefined) return checks
  } catch {
    // Falls through to the one error below.
  }
  throw new WeftError({
    code: 'E_API_ANSWER',
    cause: 'The daemon told no checks that this version understands.',
    fix: 'Run the CLI and the daemon of one version: weft stop, then weft start.',
  })
}

function checkError(failed: ReadyAnswer['checks']): WeftError {
  const first = failed[0]?.fault
  return new WeftError({
    code: 'E_CHECK_FAILED',
    cause: `${failed.length} checks failed: ${failed.map(({ name }) => name).join(', ')}.`,
    fix: first?.fix ?? 'See each one above.',
    details: { checks: failed },
  })
}
