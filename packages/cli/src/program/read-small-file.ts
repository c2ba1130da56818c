import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { WeftError, messageOf, orAborted } from '@weft/core'
import type { Invocation } from './invocation.ts'

/** Bytes. What is longer is not read on, and is for its parser to refuse. */
const MOST = 128 * 1_024

/**
 * The text of a file, or of standard input for `-`; of more than 128 KiB the beginning.
 * @throws WeftError E_FILE_NOT_FOUND, E_FILE, E_INTERRUPTED, E_TIMEOUT
 */
export async function readSmallFile({ signal }: Invocation, path: string): Promise<string> {
  const stream: Readable = path === '-' ? process.stdin : createReadStream(path)
  try {
    return await orAborted(textOf(stream), signal)
  } catch (error) {
    if (signal.aborted) throw error
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw new WeftError({
      code: isMissing ? 'E_FILE_NOT_FOUND' : 'E_FILE',
      cause: isMissing ? `There is no file ${path}.` : `The file ${path} cannot be read: ${messageOf(error)}.`,
      fix: 'Give the path of a file that you may read, or - for standard input.',
    })
  } finally {
    stream.destroy()
  }
}

async function textOf(stream: Readable): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    length += chunk.length
    if (length > MOST) break
  }
  return Buffer.concat(chunks).toString()
}
