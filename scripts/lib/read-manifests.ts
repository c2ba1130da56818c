import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { listFiles } from './list-files.ts'

/** The kinds of dependencies that a package.json can list. */
const KINDS = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'] as const

export interface DeclaredDependency {
  /** The package.json, relative to the root. */
  readonly file: string
  readonly name: string
  readonly version: string
}

/** Every dependency that the root's or a package's package.json declares on something that is not ours. */
export function readDependencies(root: string): readonly DeclaredDependency[] {
  return listFiles(root, ['package.json', 'packages/*/package.json']).flatMap((file) => {
    const manifest = JSON.parse(readFileSync(join(root, file), 'utf8')) as Partial<
      Record<(typeof KINDS)[number], Record<string, string>>
    >
    return KINDS.flatMap((kind) => Object.entries(manifest[kind] ?? {}))
      .filter(([name]) => !name.startsWith('@weft/'))
      .map(([name, version]) => ({ file, name, version }))
  })
}
