import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Where the built dashboard lies: beside the bundled daemon, or in dist/ of the repository when run from sources. */
export function dashboardDirectory(): string {
  const beside = fileURLToPath(new URL('dashboard', import.meta.url))
  return existsSync(beside) ? beside : fileURLToPath(new URL('../../../../dist/dashboard', import.meta.url))
}
