import { globSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

interface BundleSize {
  readonly name: string
  readonly bytes: number
  readonly gzipped: number
}

/** Sizes of what is in `dist`: each program, the chunks together, the workers, and the dashboard together. */
export function measureBundles(dist: string): readonly BundleSize[] {
  const groups = {
    'weft.js': 'weft.js',
    'daemon.js': 'daemon.js',
    'shared chunks': 'chunk-*.js',
    workers: 'workers/*.js',
    'dashboard scripts': 'dashboard/assets/*.js',
    'dashboard styles': 'dashboard/assets/*.css',
  }
  return Object.entries(groups).flatMap(([name, pattern]) => {
    const files = globSync(pattern, { cwd: dist }).map((file) => join(dist, file))
    if (files.length === 0) return []
    const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0)
    const gzipped = files.reduce((sum, file) => sum + gzipSync(readFileSync(file)).length, 0)
    return [{ name, bytes, gzipped }]
  })
}
