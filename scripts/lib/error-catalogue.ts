import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { listFiles } from './list-files.ts'
import { SHARED_ERROR_CODES } from './shared-error-codes.ts'

/** Where the catalogue is written, relative to the root. */
export const CATALOGUE = 'docs/errors.md'

/** Error code to the sorted files that raise it. */
export type ErrorCodes = ReadonlyMap<string, readonly string[]>

/** The value of a `code` field; both branches of a choice. */
const RAISED = /\bcode:\s*(?:[^\n,'}]*\?\s*'(E_[A-Z0-9_]+)'\s*:\s*)?'(E_[A-Z0-9_]+)'/g

/** Every code that a package's sources raise. */
export function readErrorCodes(root: string): ErrorCodes {
  const codes = new Map<string, Set<string>>()
  for (const file of listFiles(root, ['packages/*/src/**/*.{ts,tsx}'])) {
    for (const [, ...found] of readFileSync(join(root, file), 'utf8').matchAll(RAISED)) {
      for (const code of found) {
        if (code !== undefined) codes.set(code, (codes.get(code) ?? new Set()).add(file))
      }
    }
  }
  const sorted = [...codes].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return new Map(sorted.map(([code, files]) => [code, [...files].toSorted()]))
}

/** The text of the catalogue page. */
export function renderErrorCatalogue(codes: ErrorCodes): string {
  const rows = [...codes].map(([code, files]) => {
    const places = files.map((file) => `[${file.slice('packages/'.length)}](../${file})`)
    return `| \`${code}\` | ${SHARED_ERROR_CODES.get(code) ?? ''} | ${places.join(', ')} |`
  })
  return `# Error codes

Every error of Weft carries a stable code, the cause with its values, and a fix. A code has one meaning; one that
several packages raise has it written here. Made by \`npm run generate\`; cause and fix stand where a code is raised.

| code | shared meaning | raised in |
|---|---|---|
${rows.join('\n')}
`
}
