import type { Readable } from 'node:stream'
import { orAborted } from '@weft/core'

/**
 * The first line of a stream without its end, or what there is when it has none. The stream is closed after it: nobody
 * else reads on, and one that stays open would keep the process waiting.
 * @param limit characters; @returns undefined for a longer line
 * @throws what the stream throws; WeftError as the signal says
 */
export async function readFirstLine(stream: Readable, limit: number, signal: AbortSignal): Promise<string | undefined> {
  try {
    return await orAborted(firstLine(stream, limit), signal)
  } finally {
    stream.destroy()
  }
}

async function firstLine(stream: Readable, limit: number): Promise<string | undefined> {
  let text = ''
  for await (const chunk of stream.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk
    const end = text.indexOf('\n')
    if (end >= 0 || text.length > limit) {
      text = end >= 0 ? text.slice(0, end) : text
      break
    }
  }
  return text.length > limit ? undefined : text
}
