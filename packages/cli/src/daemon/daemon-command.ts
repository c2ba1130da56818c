import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { WeftError } from '@weft/core'
import type { DaemonCommand } from '@weft/devnet'
import { DAEMON_NODE_FLAGS } from '@weft/node'

/** From the directory of this module: beside the built CLI (and its chunks), and in the sources of the repository. */
const CANDIDATES = [
  'daemon.js',
  '../daemon.js',
  '../../../../dist/daemon.js',
  '../../../node/src/daemon-main.ts',
] as const

/** How the daemon that belongs to this CLI is run. @throws WeftError E_DAEMON_MISSING */
export function daemonCommand(): DaemonCommand {
  const here = dirname(fileURLToPath(import.meta.url))
  const path = CANDIDATES.map((candidate) => join(here, candidate)).find((candidate) => existsSync(candidate))
  if (path !== undefined) return [process.execPath, ...DAEMON_NODE_FLAGS, path]
  throw new WeftError({
    code: 'E_DAEMON_MISSING',
    cause: `The daemon's program is not beside the CLI (${here}).`,
    fix: 'Build it: npm run build.',
  })
}
