import { readFileSync, readdirSync } from 'node:fs'
import { extname, join } from 'node:path'
import type { FastifyReply } from 'fastify'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
}

/** An address of a page within the dashboard. */
const PAGE = /^(\/[A-Za-z0-9_-]{1,64}){1,4}$/

/**
 * Answers with a file of the dashboard; false where there is none. The names are listed once, and a request chooses
 * among them: no path from outside ever reaches the file system. Files are small and are read when asked for.
 */
export function staticFiles(directory: string): (path: string, reply: FastifyReply) => boolean {
  const files = filesUnder(directory)
  return (path, reply) => {
    const wanted = path === '/' ? '/index.html' : path
    // A page of the dashboard that is opened by its address: its script reads the path.
    const name = files.has(wanted) ? wanted : path === '/' || PAGE.test(path) ? '/index.html' : undefined
    if (name === undefined) return false
    if (!files.has(name)) {
      if (path !== '/') return false
      void reply
        .code(503)
        .type('text/plain; charset=utf-8')
        .send('The dashboard is not built. Fix: npm run build, then reload.\n')
      return true
    }
    void reply
      // Names under assets hold a hash of their content: what they say never changes.
      .header('cache-control', name.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache')
      .type(TYPES[extname(name)] ?? 'application/octet-stream')
      .send(readFileSync(join(directory, name)))
    return true
  }
}

function filesUnder(directory: string): ReadonlySet<string> {
  try {
    const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
    return new Set(
      entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(directory.length).replace(/^\/?/, '/')),
    )
  } catch {
    // Not built: the answer says so.
    return new Set()
  }
}
