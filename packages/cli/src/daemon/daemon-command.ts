import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { WeftError } from '@weft/core'
import type { DaemonCommand } from '@weft/devnet'
import { DAEMON_NODE_FLAGS } from '@weft/node'

/** From the directory of this module, when it is built: beside the CLI, whose chunks may lie one below. */
const BUILT = ['daemon.js', '../daemon.js'] as const
/** A CLI that runs from the sources starts the daemon from the sources: one that was built may be of another day. */
const SOURCES = ['../../../node/src/daemon-main.ts'] as const

/** How the daemon that belongs to this CLI is run. @throws WeftError E_DAEMON_MISSING */
export function daemonCommand(): DaemonCommand {
  const here = dirname(fileURLToPath(import.meta.url))
  const candidates = import.meta.url.endsWith('.ts') ? SOURCES : BUILT
  const path = candidates.map((candidate) => join(here, candidate)).find((candidate) => existsSync(candidate))
  if (path !== undefined) return [process.execPath, ...DAEMON_NODE_FLAGS, path]
  throw new WeftError({
    code: 'E_DAEMON_MISSING',
    cause: `The daemon's program is not beside the CLI (${here}).`,
    fix: 'Build it: npm run build.',
  })
}
