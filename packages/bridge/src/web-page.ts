import type { IncomingMessage, ServerResponse } from 'node:http'

/** What stands at `/` where the operator names no page of their own. */
export const PLAIN_PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Welcome</title></head>
<body><h1>Welcome</h1><p>There is nothing here yet.</p></body>
</html>
`

const NOT_FOUND = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>404 Not Found</title></head>
<body><h1>Not Found</h1><p>The page that you look for is not here.</p></body>
</html>
`

/** Answers a request as a small web server does: one page, and nothing else. */
export function answerAsWebServer(page: string, { method, url }: IncomingMessage, response: ServerResponse): void {
  if (method !== 'GET' && method !== 'HEAD') {
    // What comes behind the head of such a request is not waited for.
    response.writeHead(405, { Allow: 'GET, HEAD', Connection: 'close' }).end()
    return
  }
  const [path] = (url ?? '').split('?', 1)
  const isThere = path === '/' || path === '/index.html'
  const body = isThere ? page : NOT_FOUND
  response.writeHead(isThere ? 200 : 404, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
  })
  response.end(method === 'HEAD' ? undefined : body)
}
