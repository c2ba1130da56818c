import { type Fault, counted, isWeftError, wait, WeftError } from '@weft/core'
import { type ApiClient, referencedClock } from '@weft/devnet'
import { openApi } from '../daemon/open-api.ts'
import { FailedDocument } from '../output/failed-document.ts'
import { faultLines } from '../output/fault-lines.ts'
import type { Output } from '../output/output.ts'
import type { Invocation } from '../program/invocation.ts'

/** The part of `GET /readyz?verbose` that is shown. */
interface ReadyAnswer {
  readonly checks: readonly {
    readonly name: string
    readonly ok: boolean
    readonly tried?: string
    readonly fault?: Fault
    readonly notice?: Fault
  }[]
}

/** Letters of the longest name, for what was tried to stand in a column. */
const NAME_WIDTH = 9
/** ms between two looks of --wait. */
const LOOK_EVERY_MS = 500

type Checks = ReadyAnswer['checks']

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const api = openApi(invocation)
  const { checks, timeout } = invocation.flag('wait')
    ? await waitUntilOk(api, signal)
    : { checks: await readChecks(api, signal) }
  const failed = checks.filter(({ ok }) => !ok)
  output.print(
    ...checks.flatMap(({ name, ok, tried, fault, notice }) => [
      `${mark(ok, notice !== undefined, output)}  ${tried === undefined ? name : `${name.padEnd(NAME_WIDTH)}  ${tried}`}`,
      ...(ok || !fault ? [] : faultLines(fault, output)),
      ...(notice === undefined ? [] : faultLines(notice, output)),
    ]),
  )
  if (failed.length > 0) throw checkError(checks, failed, timeout)
  output.document({ ok: true, checks })
}

function mark(ok: boolean, note: boolean, output: Output): string {
  if (!ok) return output.styled('red', 'FAIL')
  return note ? output.styled('yellow', 'note') : output.styled('green', 'ok  ')
}

/** Until --timeout fires the signal: then the checks as they were last, and the timeout. */
async function waitUntilOk(
  api: ApiClient,
  signal: AbortSignal,
): Promise<{ readonly checks: Checks; readonly timeout?: WeftError }> {
  let last: Checks | undefined
  try {
    for (;;) {
      last = await readChecks(api, signal)
      if (last.every(({ ok }) => ok)) return { checks: last }
      await wait(referencedClock, LOOK_EVERY_MS, signal)
    }
  } catch (error) {
    if (isWeftError(error, 'E_TIMEOUT') && last !== undefined) return { checks: last, timeout: error }
    throw error
  }
}

async function readChecks(api: ApiClient, signal: AbortSignal): Promise<Checks> {
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

function checkError(checks: Checks, failed: Checks, timeout: WeftError | undefined): WeftError {
  const count = `${counted(failed.length, 'check')} failed: ${failed.map(({ name }) => name).join(', ')}.`
  return new FailedDocument(
    {
      code: timeout?.code ?? 'E_CHECK_FAILED',
      cause: timeout === undefined ? count : `${timeout.cause} ${count}`,
      fix: failed[0]?.fault?.fix ?? 'See each one above.',
      retryable: timeout !== undefined,
    },
    { ok: false, checks },
  )
}
