import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The absolute path of the repository that these scripts belong to. */
export const repositoryRoot = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
