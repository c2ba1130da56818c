import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { listFiles } from './list-files.ts'
import { OWN_ERROR_CODES } from './own-error-codes.ts'
import { SHARED_ERROR_CODES } from './shared-error-codes.ts'

/** Where the catalogue is written, relative to the root. */
export const CATALOGUE = 'docs/errors.md'

/** Error code to the sorted files that it concerns. */
export type ErrorCodes = ReadonlyMap<string, readonly string[]>

/** All that people run. Tests make codes up. */
const SOURCES = ['packages/*/src/**/*.{ts,tsx}', 'scripts/*.ts', 'scripts/{rules,tour}/**/*.ts', 'bin/*']
/** Of scripts/lib all but the lists of meanings, which would name every code. */
const HELPERS = 'scripts/lib/**/*.ts'
const MEANINGS = /\/(own|shared)-error-codes\.ts$/

/** A code as a value of its own; shell scripts have it inside of a longer text. */
const NAMED = /(['"`])(E_[A-Z0-9_]+)\1/g
const NAMED_IN_SHELL = /()\b(E_[A-Z0-9_]+)\b/g

/** The value of a `code` field; both branches of a choice. */
const RAISED = /\bcode:\s*(?:[^\n,'}]*\?\s*'(E_[A-Z0-9_]+)'\s*:\s*)?'(E_[A-Z0-9_]+)'/g

/** Every code that the sources name, whether they raise it or act on it. */
export function readErrorCodes(root: string): ErrorCodes {
  const files = [...listFiles(root, SOURCES), ...listFiles(root, [HELPERS]).filter((file) => !MEANINGS.test(file))]
  return collect(root, files, (file, text) => {
    const pattern = file.startsWith('bin/') ? NAMED_IN_SHELL : NAMED
    return Array.from(text.matchAll(pattern), ([, , code]) => code)
  })
}

/** Every code that a package raises, as far as it stands in a `code` field. */
export function readRaisedCodes(root: string): ErrorCodes {
  const files = listFiles(root, ['packages/*/src/**/*.{ts,tsx}'])
  return collect(root, files, (_, text) => Array.from(text.matchAll(RAISED), ([, ...found]) => found).flat())
}

/** The one sentence that says what a code means; undefined while nobody wrote it. */
export function meaningOf(code: string): string | undefined {
  return SHARED_ERROR_CODES.get(code) ?? OWN_ERROR_CODES.get(code)
}

/** The text of the catalogue page. */
export function renderErrorCatalogue(codes: ErrorCodes): string {
  const rows = [...codes].map(([code, files]) => {
    const places = files.map((file) => `[${file.replace(/^packages\//, '')}](../${file})`)
    return `| \`${code}\` | ${meaningOf(code) ?? ''} | ${places.join(', ')} |`
  })
  return `# Error codes

Every error of Weft carries a stable code, the cause with its values, and a fix. A code has one meaning, written here.
Made by \`npm run generate\` from scripts/lib/own-error-codes.ts and scripts/lib/shared-error-codes.ts; cause and fix
stand where a code is raised. Some files only act on a code that they name.

| code | means | named in |
|---|---|---|
${rows.join('\n')}
`
}

function collect(
  root: string,
  files: readonly string[],
  find: (file: string, text: string) => readonly (string | undefined)[],
): ErrorCodes {
  const codes = new Map<string, Set<string>>()
  for (const file of files) {
    for (const code of find(file, readFileSync(join(root, file), 'utf8'))) {
      if (code !== undefined) codes.set(code, (codes.get(code) ?? new Set()).add(file))
    }
  }
  const sorted = [...codes].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return new Map(sorted.map(([code, found]) => [code, [...found].toSorted()]))
}
