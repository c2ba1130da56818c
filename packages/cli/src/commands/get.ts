import { once } from 'node:events'
import { isWeftError, WeftError } from '@weft/core'
import type { ApiClient, Download } from '@weft/devnet'
import { openApi } from '../daemon/open-api.ts'
import { resumedBody } from '../daemon/resumed-body.ts'
import { formatBytes, formatDuration } from '../output/format.ts'
import { ProgressBar } from '../output/progress.ts'
import { TargetFile } from '../output/target-file.ts'
import type { Invocation } from '../program/invocation.ts'
import { referenceArgument } from '../program/reference-argument.ts'
import { usageError } from '../program/usage-error.ts'
import { objectStatus } from './stat.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output } = invocation
  const path = invocation.text('output') ?? '-'
  if (path === '') throw usageError('-o is empty.', 'Name a file with -o FILE, or say -o - to print it.')
  if (path === '-' && output.json)
    throw usageError('With --json the content cannot go to stdout, too.', 'Name a file with -o FILE.')
  if (path === '-' && output.stdout.isTTY && invocation.text('output') === undefined) {
    throw usageError(
      'Standard output is a terminal.',
      'Name a file with -o FILE, or say -o - to print it all the same.',
    )
  }
  const ref = await referenceArgument(invocation)
  const api = openApi(invocation)
  const started = performance.now()
  try {
    const size =
      path === '-'
        ? await print(await download(invocation, api, ref), output.stdout)
        : await save(api, ref, path, invocation)
    const ms = performance.now() - started
    output.document({ file: path, size })
    if (path !== '-') {
      output.note(
        `Wrote ${formatBytes(size)} to ${path} in ${formatDuration(ms)} (${formatBytes(Math.round((size / ms) * 1_000))}/s).`,
      )
    }
  } catch (error) {
    throw await explained(error, invocation, api, ref)
  }
}

async function download(invocation: Invocation, api: ApiClient, ref: string): Promise<Download> {
  const query = `ref=${encodeURIComponent(ref)}${invocation.flag('private') ? '&private=true' : ''}`
  const { output, signal } = invocation
  const open = (from: number): Promise<Download> => api.download(`/api/v1/object?${query}`, { signal, from })
  const onBreak = (at: number): void =>
    output.note(`get: it broke off after ${formatBytes(at)}, and goes on from there`)
  const whole = await open(0)
  return { ...whole, body: resumedBody(whole, { open, signal, onBreak }) }
}

async function save(api: ApiClient, ref: string, path: string, invocation: Invocation): Promise<number> {
  await using target = await TargetFile.create(path, { force: invocation.flag('force') })
  const { size, body } = await download(invocation, api, ref)
  await target.expect(size)
  using progress = new ProgressBar(invocation.output, 'get', size)
  let received = 0
  for await (const bytes of body) {
    await target.write(bytes)
    received += bytes.length
    progress.update(received)
  }
  await target.commit()
  return size
}

async function print({ size, body }: Download, stdout: NodeJS.WriteStream): Promise<number> {
  for await (const bytes of body) {
    if (!stdout.write(bytes)) await once(stdout, 'drain')
  }
  return size
}

/** A body that broke off has no words of its own; the state of the object has. */
async function explained(error: unknown, invocation: Invocation, api: ApiClient, ref: string): Promise<unknown> {
  const { signal } = invocation
  if (!isWeftError(error, 'E_BODY_TRUNCATED') || signal.aborted) return error
  try {
    const { fault } = await objectStatus(api, ref, signal, { first: 0, private: invocation.flag('private') })
    if (!fault) return error
    return new WeftError({
      ...fault,
      cause: `${error.cause} ${fault.cause}`,
      retryable: true,
      details: error.details,
      origin: error,
    })
  } catch {
    // The daemon is gone or cannot tell: what is known is that the body broke off.
    return error
  }
}
