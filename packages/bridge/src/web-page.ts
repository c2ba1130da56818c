import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'

/**
 * Answers as a great many servers of Node do: an application on Express 4 as it is without settings, with a route for the page, or none that a
 * stranger finds. Byte for byte (test/express-answers.json): words or headers of our own would be the same at every bridge and nowhere else, and
 * who asks all addresses for them would find them all.
 * @param page at `/` and `/index.html`
 */
export function answerAsWebServer(page: string | undefined, request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('X-Powered-By', 'Express')
  const path = pathOf(request.url ?? '')
  // Routes of Express pass over case and a slash at the end.
  if (page === undefined || !/^\/(?:index\.html\/?)?$/i.test(path)) notFound(path, request, response)
  else if (request.method === 'GET' || request.method === 'HEAD') send(page, request, response)
  else if (request.method === 'OPTIONS') {
    response.setHeader('Allow', 'GET,HEAD')
    send('GET,HEAD', request, response)
  } else notFound(path, request, response)
}

/** The path of a target in any of the forms of RFC 9112, section 3.2. */
function pathOf(target: string): string {
  const [, path = ''] = /^(?:[a-z][a-z0-9+.-]*:\/\/[^/?#]*)?([^?#]*)/i.exec(target) ?? []
  return path === '' ? '/' : path
}

function send(body: string, request: IncomingMessage, response: ServerResponse): void {
  const length = Buffer.byteLength(body)
  const tag = `W/"${length.toString(16)}-${createHash('sha1').update(body).digest('base64').slice(0, 27)}"`
  if (isFresh(tag, request)) {
    response.writeHead(304, { ETag: tag }).end()
    return
  }
  response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Length': length, ETag: tag })
  response.end(request.method === 'HEAD' ? undefined : body)
}

/** Whether who asks has it already (RFC 9110, section 13.1.2), as the package `fresh` finds it. */
function isFresh(tag: string, { method, headers }: IncomingMessage): boolean {
  const known = headers['if-none-match']
  if ((method !== 'GET' && method !== 'HEAD') || known === undefined) return false
  if (headers['if-modified-since'] !== undefined) return false
  if (/(?:^|,)\s*no-cache\s*(?:,|$)/.test(headers['cache-control'] ?? '')) return false
  return known === '*' || known.split(',').some((each) => [tag, tag.slice(2)].includes(each.trim()))
}

function notFound(path: string, request: IncomingMessage, response: ServerResponse): void {
  const said = escapeHtml(`Cannot ${request.method ?? ''} ${encodePath(path)}`)
  const body = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Error</title>
</head>
<body>
<pre>${said}</pre>
</body>
</html>
`
  const answer = (): void => {
    response.writeHead(404, {
      'Content-Security-Policy': "default-src 'none'",
      'X-Content-Type-Options': 'nosniff',
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Length': Buffer.byteLength(body),
    })
    response.end(request.method === 'HEAD' ? undefined : body)
  }
  // A body is read to its end, and thrown away, before the answer.
  if (request.complete) answer()
  else request.once('end', answer).resume()
}

/** What no URL has is encoded, also a percent sign before what is no code; all else stays. */
function encodePath(path: string): string {
  return path.replaceAll(/(?:[^!#-;=?-_a-z|~]|%(?![0-9A-Fa-f]{2}))+/g, encodeURI)
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll("'", '&#39;')
    .replaceAll('"', '&quot;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
}
