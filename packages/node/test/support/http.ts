import { type IncomingHttpHeaders, type IncomingMessage, type RequestOptions, request } from 'node:http'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  json<T = Record<string, unknown>>(): T
  /** The code of the error in the body. */
  readonly code: string | undefined
}

export type Call = RequestOptions & { body?: string | Uint8Array }

/** One request and its whole answer. */
export async function call(options: Call): Promise<Answer> {
  const response = await open(options)
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString('utf8')
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text,
    json: <T>() => JSON.parse(text) as T,
    get code() {
      try {
        return (JSON.parse(text) as { error?: { code?: string } }).error?.code
      } catch {
        return undefined
      }
    },
  }
}

/** One request and the head of its answer. */
export function open({ body, ...options }: Call): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ agent: false, host: '127.0.0.1', ...options }, resolve)
    outgoing.once('error', reject)
    outgoing.end(body)
  })
}

export const JSON_TYPE = { 'content-type': 'application/json' }
