import { constants, createReadStream } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Readable } from 'node:stream'
import { messageOf, WeftError } from '@weft/core'
import type { StoredAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import { formatBytes, formatDuration } from '../output/format.ts'
import { faultLines } from '../output/fault-lines.ts'
import { ProgressBar } from '../output/progress.ts'
import type { Invocation } from '../program/invocation.ts'
import { usageError } from '../program/usage-error.ts'

/** Bytes a read: fewer, larger pieces cost less on the way through the socket. */
const READ_SIZE = 512 * 1024

/** As short as the API takes. */
const MIN_SECONDS = 60

interface Source {
  readonly name: string | undefined
  readonly size: number | undefined
  readonly stream: Readable
}

export async function run(invocation: Invocation): Promise<void> {
  const { output } = invocation
  const options = putOptions(invocation)
  const source = await openSource(invocation.argument(0), invocation.text('name'))
  const started = performance.now()
  using progress = new ProgressBar(output, 'put', source.size)
  const stored = await upload(invocation, source, options, progress)
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
  { name, size, stream }: Source,
  options: Record<string, string>,
  progress: ProgressBar,
): Promise<StoredAnswer> {
  const query = new URLSearchParams({ ...options, ...(name !== undefined && { name }) }).toString()
  try {
    return await openApi(invocation).upload<StoredAnswer>(
      `/api/v1/objects?${query}`,
      { source: counted(stream, progress), size },
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

async function openSource(path: string, asked: string | undefined): Promise<Source> {
  if (path === '-') {
    if (process.stdin.isTTY)
      throw usageError('Standard input is a terminal.', 'Pipe something in (… | weft put -), or name a file.')
    return { name: asked, size: undefined, stream: process.stdin }
  }
  try {
    const info = await stat(path)
    await access(path, constants.R_OK)
    if (info.isDirectory())
      throw usageError(`${path} is a directory.`, `Pack it: tar -c ${path} | weft put - --name ${basename(path)}.tar`)
    return {
      name: asked ?? basename(path),
      // A pipe or a device has no length that could be announced.
      size: info.isFile() ? info.size : undefined,
      stream: createReadStream(path, { highWaterMark: READ_SIZE }),
    }
  } catch (error) {
    throw error instanceof WeftError ? error : fileError(path, error)
  }
}

async function* counted(source: Readable, progress: ProgressBar): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for await (const chunk of source as AsyncIterable<Uint8Array>) {
    bytes += chunk.length
    progress.update(bytes)
    yield chunk
  }
}

function fileError(path: string, error: unknown): WeftError {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOENT')
    return new WeftError({
      code: 'E_FILE_NOT_FOUND',
      cause: `There is no file ${path}.`,
      fix: 'Name a file that exists, or - for standard input.',
    })
  if (code === 'EACCES')
    return new WeftError({
      code: 'E_NOT_PERMITTED',
      cause: `You may not read ${path}.`,
      fix: 'Correct its mode, or run the command as its owner.',
    })
  return new WeftError({
    code: 'E_FILE',
    cause: `${path} cannot be read: ${messageOf(error)}`,
    fix: 'Name a readable file, or - for standard input.',
    origin: error,
  })
}
