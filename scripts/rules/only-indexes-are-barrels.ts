import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { listFiles } from '../lib/list-files.ts'
import type { RepositoryRule } from '../lib/repository-rule.ts'

const INDEX = /^packages\/[^/]+\/src\/index\.ts$/

/** Barrels inside a package hide who uses what, load more than is used, and breed cycles. */
export const onlyIndexesAreBarrels: RepositoryRule = {
  name: "a package's src/index.ts is its only barrel, and nothing but a barrel",
  check: (root) =>
    listFiles(root, ['packages/*/{src,test}/**/*.{ts,tsx}']).flatMap((file) => {
      const text = readFileSync(join(root, file), 'utf8')
      if (file.includes('/generated/')) return []
      if (INDEX.test(file)) {
        return isBarrel(text) ? [] : [`${file}: move what it defines to a file of its own and re-export it`]
      }
      if (/^export \*/m.test(text)) return [`${file}: re-exports by *: import from where a thing is defined`]
      return isBarrel(text) ? [`${file}: only re-exports: import from where a thing is defined`] : []
    }),
}

/** True when nothing is left after comments and re-exports, and there was something. */
function isBarrel(text: string): boolean {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '').trim()
  return (
    code !== '' &&
    code.replaceAll(/export\s+(?:type\s+)?(?:\*(?:\s+as\s+\w+)?|\{[^}]*\})\s+from\s+'[^']+';?/g, '').trim() === ''
  )
}
