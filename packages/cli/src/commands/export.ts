import { once } from 'node:events'
import { openApi } from '../daemon/open-api.ts'
import { newPassphrase, passphraseFile } from '../archive/passphrase.ts'
import { sealArchive } from '../archive/sealed-archive.ts'
import { formatBytes, formatDuration } from '../output/format.ts'
import { ProgressBar, counted } from '../output/progress.ts'
import { TargetFile } from '../output/target-file.ts'
import type { Invocation } from '../program/invocation.ts'
import { usageError } from '../program/usage-error.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const path = invocation.argument(0)
  const given = await passphraseFile(invocation, true)
  if (path === '') throw usageError('The name of the file is empty.', 'Name a file, or say - for standard output.')
  if (path === '-' && (output.json || given === undefined || output.stdout.isTTY)) {
    throw usageError(
      'To standard output goes the archive alone.',
      'Leave out --json, give --passphrase-file, and lead the output into a file or a program.',
    )
  }
  const passphrase = given ?? newPassphrase()
  const started = performance.now()
  const query = invocation.flag('keysOnly') ? '?content=false' : ''
  const open = async (): Promise<AsyncIterable<Uint8Array>> => {
    const { expected, body } = await openApi(invocation).downloadStream(`/api/v1/archive${query}`, { signal })
    return counted(sealArchive(body, passphrase), () => new ProgressBar(output, 'export', expected))
  }
  const size = path === '-' ? await print(await open(), output.stdout) : await save(open, path, invocation)
  const ms = performance.now() - started
  output.document({ file: path, size, ...(given === undefined && { passphrase }) })
  output.note(`Wrote ${formatBytes(size)}${path === '-' ? '' : ` to ${path}`} in ${formatDuration(ms)}.`)
  if (given !== undefined) return
  output.note('It opens with this passphrase alone, which is stored nowhere. Write it down:')
  output.print(passphrase)
}

async function save(
  open: () => Promise<AsyncIterable<Uint8Array>>,
  path: string,
  invocation: Invocation,
): Promise<number> {
  await using target = await TargetFile.create(path, { force: invocation.flag('force'), mode: 0o600 })
  let size = 0
  for await (const bytes of await open()) {
    size += bytes.length
    await target.write(bytes)
  }
  await target.commit()
  return size
}

async function print(body: AsyncIterable<Uint8Array>, stdout: NodeJS.WriteStream): Promise<number> {
  let size = 0
  for await (const bytes of body) {
    size += bytes.length
    if (!stdout.write(bytes)) await once(stdout, 'drain')
  }
  return size
}
