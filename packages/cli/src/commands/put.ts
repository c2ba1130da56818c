import { basename } from 'node:path'
import type { StoredAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import { formatBytes, formatDuration } from '../output/format.ts'
import { faultLines } from '../output/fault-lines.ts'
import { ProgressBar, counted } from '../output/progress.ts'
import type { Invocation } from '../program/invocation.ts'
import { type FileSource, openSource } from '../program/file-source.ts'
import { usageError } from '../program/usage-error.ts'

/** As short as the API takes. */
const MIN_SECONDS = 60

export async function run(invocation: Invocation): Promise<void> {
  const { output } = invocation
  const options = putOptions(invocation)
  const path = invocation.argument(0)
  const source = await openSource(path, () =>
    usageError(`${path} is a directory.`, `Pack it: tar -c ${path} | weft put - --name ${basename(path)}.tar`),
  )
  const name = invocation.text('name') ?? (path === '-' ? undefined : basename(path))
  const started = performance.now()
  using progress = new ProgressBar(output, 'put', source.size)
  const stored = await upload(invocation, source, { ...options, ...(name !== undefined && { name }) }, progress)
  progress[Symbol.dispose]()
  const ms = performance.now() - started
  output.document({ ...stored })
  output.note(
    `Stored ${formatBytes(stored.size)}${stored.private ? ' privately' : ''} as class ${stored.class} in ${formatDuration(ms)} (${formatBytes(Math.round((stored.size / ms) * 1_000))}/s). Whoever has the reference can read it:`,
  )
  output.print(stored.ref)
  for (const warning of stored.warnings) for (const line of faultLines(warning, output)) output.note(line)
}

async function upload(
  invocation: Invocation,
  { size, stream }: FileSource,
  options: Record<string, string>,
  progress: ProgressBar,
): Promise<StoredAnswer> {
  const query = new URLSearchParams(options).toString()
  try {
    return await openApi(invocation).upload<StoredAnswer>(
      `/api/v1/objects?${query}`,
      { source: counted(stream, () => progress), size },
      { signal: invocation.signal },
    )
  } finally {
    // A pipe that nobody closes would keep this process waiting for its next byte.
    stream.destroy()
  }
}

/** Looked at before the file is. @throws WeftError E_USAGE */
function putOptions(invocation: Invocation): Record<string, string> {
  const className = invocation.text('class')
  const ttlMs = invocation.duration('ttl', MIN_SECONDS)
  return {
    ...(className !== undefined && { class: className }),
    ...(ttlMs !== undefined && { ttlMs: String(ttlMs) }),
    ...(invocation.flag('private') && { private: 'true' }),
  }
}
