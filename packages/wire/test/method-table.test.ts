import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { KiB, METHODS, MiB } from '../src/index.ts'

const PAGE = new URL('../../../docs/specs/rpc.md', import.meta.url)

function size(bytes: number): string {
  return bytes % MiB === 0 ? `${bytes / MiB} MiB` : `${bytes / KiB} KiB`
}

test('docs/specs/rpc.md has the table of the methods', () => {
  const rows = Object.entries(METHODS).map(
    ([name, { request, response, access, maxRequest, maxResponse, cost }]) =>
      `| \`${name}\` | ${request.name} | ${response.name} | ${access} | ${size(maxRequest)} | ${size(maxResponse)} | ${cost} |`,
  )
  const written = readFileSync(PAGE, 'utf8')
    .split('\n')
    .filter((line) => /^\| `[a-z]+\.[a-z]+` \|/.test(line))
  assert.deepEqual(written, rows)
})
