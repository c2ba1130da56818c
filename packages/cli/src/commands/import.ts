import type { ImportAnswer } from '@weft/node'
import { passphraseFile } from '../archive/passphrase.ts'
import { openArchive } from '../archive/sealed-archive.ts'
import { openApi } from '../daemon/open-api.ts'
import { importLines } from '../output/import-lines.ts'
import { ProgressBar, counted } from '../output/progress.ts'
import type { Invocation } from '../program/invocation.ts'
import { openSource } from '../program/file-source.ts'
import { readHiddenLine } from '../program/read-hidden-line.ts'
import { usageError } from '../program/usage-error.ts'

/** Characters of a passphrase. */
const MOST = 1_024

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const { size, stream } = await openSource(invocation.argument(0), (path) =>
    usageError(`${path} is a directory.`, 'Name the file that weft export wrote.'),
  )
  try {
    const passphrase = (await passphraseFile(invocation, false)) ?? (await asked(invocation))
    const source = counted(openArchive(stream, passphrase), () => new ProgressBar(output, 'import', size))
    const report = await openApi(invocation).upload<ImportAnswer>('/api/v1/archive', { source }, { signal })
    output.document({ ...report })
    output.print(...importLines(report))
  } finally {
    stream.destroy()
  }
}

async function asked(invocation: Invocation): Promise<string> {
  if (!process.stdin.isTTY || invocation.argument(0) === '-') {
    throw usageError(
      'Nobody is there to be asked for the passphrase.',
      'Write it into a file that only you can read, and give --passphrase-file FILE.',
    )
  }
  return readHiddenLine('Passphrase of the archive: ', MOST, invocation)
}
