import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildDist } from './lib/build-dist.ts'
import { measureBundles } from './lib/bundle-sizes.ts'
import { failWith } from './lib/fail-with.ts'
import { repositoryRoot } from './lib/repository-root.ts'

const kilobytes = (bytes: number): string => `${(bytes / 1_000).toFixed(0)} kB`

try {
  const { values } = parseArgs({ options: { partial: { type: 'boolean', default: false } } })
  const report = (line: string): void => console.error(`build: ${line}`)
  const built = await buildDist(repositoryRoot, { partial: values.partial, report })
  if (!built) report('dist/ is up to date')
  if (built) {
    for (const { name, bytes, gzipped } of measureBundles(join(repositoryRoot, 'dist'))) {
      report(`${name}: ${kilobytes(bytes)}, ${kilobytes(gzipped)} gzipped`)
    }
  }
} catch (error) {
  failWith(error)
}
