import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { WeftError, ensureDirectory, identifyProcess, type ProcessIdentity } from '@weft/core'
import { writeProcessRecord } from '../process/process-record.ts'
import type { DaemonCommand } from './daemon-command.ts'
import { lifelinePath, logPath, networkFilePath } from './devnet-directory.ts'
import { PORTS_PER_NODE } from '../plan/port-block.ts'
import type { DevnetNode, DevnetState } from './devnet-state.ts'
import { logLength } from './last-fault.ts'
import type { DaemonExit } from './wait-until-started.ts'

export interface SpawnedNode {
  readonly node: DevnetNode
  /** Bytes of the log before this start. */
  readonly logStart: number
  readonly identity: ProcessIdentity
  readonly exited: Promise<DaemonExit>
}

/** The flags of one node of a devnet. */
function nodeArguments(state: DevnetState, node: DevnetNode): string[] {
  const args = ['--home', node.home, '--network', networkFilePath(state.directory), '--name', node.name]
  args.push('--roles', node.client ? 'client' : node.roles.join(','))
  if (node.family !== undefined) args.push('--family', node.family)
  args.push('--base-port', String(node.ports.api), '--public-port', String(node.ports.overlay))
  if (node.roles.includes('exit')) args.push(...exitRules(state))
  if (state.supervisor !== undefined) args.push('--lifeline', lifelinePath(state.directory))
  return args
}

/** An exit on loopback reaches what this machine's user runs, and never a node of its own network. */
function exitRules({ exitAllow = ['127.0.0.1/32:*'], basePort, nodes }: DevnetState): string[] {
  const last = basePort + nodes.length * PORTS_PER_NODE - 1
  return ['--exit-allow', exitAllow.join(','), '--exit-deny', `127.0.0.1/32:${basePort}-${last}`]
}

/**
 * Starts the daemon of a node in a session of its own, so that a Ctrl-C in the terminal reaches only the devnet's
 * own process, which then ends its nodes in order. Output goes to a file: a pipe would break when this process ends.
 */
export function spawnNode(state: DevnetState, node: DevnetNode, daemon: DaemonCommand): SpawnedNode {
  const log = logPath(node.home)
  ensureDirectory(dirname(log))
  // Only what the new process writes counts as a sign of life.
  rmSync(join(node.home, 'daemon.json'), { force: true })
  const logStart = logLength(node.home)
  const output = openSync(log, 'a', 0o600)
  let child: ChildProcess
  try {
    const [program, ...args] = daemon
    child = spawn(program, [...args, ...nodeArguments(state, node)], {
      detached: true,
      stdio: ['ignore', output, output],
      env: nodeEnvironment(process.env),
    })
  } finally {
    closeSync(output)
  }
  const exited = new Promise<DaemonExit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
    child.once('error', () => resolve({ code: null, signal: null }))
  })
  child.unref()
  const identity = child.pid === undefined ? undefined : identifyProcess(child.pid)
  if (identity === undefined) {
    throw new WeftError({
      code: 'E_DEVNET_SPAWN',
      cause: `The daemon of ${node.name} could not be started with ${daemon.join(' ')}.`,
      fix: `See ${log}; when the program is missing, run npm ci and npm run build.`,
    })
  }
  writeProcessRecord(node.home, identity)
  return { node, identity, exited, logStart }
}

/** Settings of the person's own node must not leak into every node of the devnet. */
function nodeEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('WEFT_')))
}
