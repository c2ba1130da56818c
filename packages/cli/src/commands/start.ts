import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Fault, isDiskFull, isWeftError, messageOf, WeftError, ensureDirectory } from '@weft/core'
import { type DaemonExit, logLength, logPath, waitUntilStarted } from '@weft/devnet'
import { daemonCommand } from '../daemon/daemon-command.ts'
import { ownHomeOf } from '../daemon/home.ts'
import type { Invocation } from '../program/invocation.ts'

/** Options that are handed on to the daemon as they are. */
const DAEMON_OPTIONS = [
  ['network', '--network'],
  ['roles', '--roles'],
  ['preset', '--preset'],
  ['name', '--name'],
  ['family', '--family'],
  ['basePort', '--base-port'],
  ['publicPort', '--public-port'],
] as const

export async function run(invocation: Invocation): Promise<void> {
  const home = ownHomeOf(invocation)
  const args = ['--home', home]
  for (const [option, flag] of DAEMON_OPTIONS) {
    const value = invocation.text(option)
    if (value !== undefined) args.push(flag, value)
  }
  const [program, ...programArgs] = daemonCommand()
  if (invocation.flag('detach')) await startInBackground(invocation, home, [program, ...programArgs, ...args])
  else replaceThisProcess([program, ...programArgs, ...args])
}

/** In the foreground the daemon takes this process over: one pid, and signals go straight to it. */
function replaceThisProcess(command: readonly [string, ...string[]]): void {
  if (process.execve !== undefined) return process.execve(command[0], command, process.env)
  throw new WeftError({
    code: 'E_FOREGROUND_UNSUPPORTED',
    cause: `On ${process.platform} a process cannot become another one, so the daemon cannot run in the foreground.`,
    fix: 'Run it in the background: weft start --detach.',
  })
}

async function startInBackground(invocation: Invocation, home: string, command: readonly string[]): Promise<void> {
  const { output, signal } = invocation
  const file = openLog(home)
  const logStart = logLength(home)
  const [program, ...args] = command as [string, ...string[]]
  const child = spawn(program, args, { detached: true, stdio: ['ignore', file, file] })
  closeSync(file)
  const exited = new Promise<DaemonExit>((resolve) => {
    child.once('error', () => resolve({ code: null, signal: null }))
    child.once('exit', (code, reason) => resolve({ code, signal: reason }))
  })
  const pid = child.pid ?? 0
  try {
    await waitUntilStarted({ name: 'The daemon', home, pid, exited, logStart }, signal)
  } catch (error) {
    // Half started is not started.
    child.kill('SIGTERM')
    throw daemonFault(error)
  }
  child.unref()
  const { ports } = JSON.parse(readFileSync(join(home, 'daemon.json'), 'utf8')) as { ports: unknown }
  output.document({ pid, home, ports })
  output.print(`The daemon runs: process ${pid}, home ${home}.`)
}

/** A daemon that ended by itself has said why: that is the error. */
function daemonFault(error: unknown): unknown {
  if (!isWeftError(error, 'E_DEVNET_NODE_DIED')) return error
  const fault = error.details['fault'] as Fault | undefined
  return new WeftError({
    code: fault?.code ?? 'E_DAEMON_DIED',
    cause: fault?.cause ?? error.cause,
    fix: error.fix,
    origin: error,
  })
}

function openLog(home: string): number {
  try {
    ensureDirectory(join(home, 'logs'))
    return openSync(logPath(home), 'a', 0o600)
  } catch (error) {
    const full = isDiskFull(error)
    throw new WeftError({
      code: full ? 'E_DISK_FULL' : 'E_STATE_UNWRITABLE',
      cause: `The home ${home} cannot be written to: ${messageOf(error)}.`,
      fix: full
        ? 'Free some space on its disk, or name another home with --home or WEFT_HOME.'
        : 'Name a directory of your own with --home or WEFT_HOME.',
      origin: error,
    })
  }
}
