import { spawn } from 'node:child_process'
import { abortError } from '@weft/core'
import { fetchError, fetchOverSocks } from './fetch-over-socks.ts'

/** s; the proxy answers within five, whatever happens. */
const MOST_SECONDS = '30'

export interface Fetched {
  readonly body: string
  /** The program that fetched it. */
  readonly client: 'curl' | 'own'
}

/** What a person types to fetch `url` over the proxy. */
export const curlLine = (proxyPort: number, url: string): string =>
  `curl --proxy socks5h://127.0.0.1:${proxyPort} ${url}`

/**
 * Fetches a page over the proxy with curl, as any program would; where there is none, with a client of our own.
 * @param program curl, or where to find it
 * @throws WeftError E_TOUR_FETCH, E_ABORTED
 */
export async function fetchOverProxy(
  proxyPort: number,
  url: string,
  signal: AbortSignal,
  program = 'curl',
): Promise<Fetched> {
  // A person's .curlrc and NO_PROXY would lead round the proxy.
  const own = ['--disable', '--noproxy', '', '--silent', '--show-error', '--fail', '--max-time', MOST_SECONDS]
  const child = spawn(program, [...own, '--proxy', `socks5h://127.0.0.1:${proxyPort}`, url], {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  })
  const output: Buffer[] = []
  const errors: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk))
  const code = await new Promise<number | null | 'missing'>((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (signal.aborted) reject(abortError(signal))
      else if (error.code === 'ENOENT') resolve('missing')
      else reject(fetchError(`curl could not be started (${error.message})`))
    })
    child.once('close', resolve)
  })
  if (code === 'missing') return { body: await fetchOverSocks(proxyPort, url, signal), client: 'own' }
  if (code === 0) return { body: Buffer.concat(output).toString('utf8'), client: 'curl' }
  const why = Buffer.concat(errors).toString('utf8').trim()
  throw fetchError(`curl ended with exit code ${code ?? 'none'}${why === '' ? '' : `, ${why}`}`)
}
