import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, watch } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, WeftError } from '@weft/core'
import { daemonCommand } from '../daemon/daemon-command.ts'
import { homeOf } from '../daemon/home.ts'
import type { Invocation } from '../program/invocation.ts'
import { lastFault } from '@weft/devnet'

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
  const home = homeOf(invocation)
  const args = ['--home', home]
  for (const [option, flag] of DAEMON_OPTIONS) {
    const value = invocation.text(option)
    if (value !== undefined) args.push(flag, value)
  }
  const [program, ...programArgs] = daemonCommand()
  if (invocation.flag('detach')) await startInBackground(invocation, home, [program, ...programArgs, ...args])
  // In the foreground the daemon takes this process over: one pid, and signals go straight to it.
  else process.execve?.(program, [program, ...programArgs, ...args], process.env as Record<string, string>)
}

async function startInBackground(invocation: Invocation, home: string, command: readonly string[]): Promise<void> {
  const { output, signal } = invocation
  const log = join(home, 'logs', 'output.log')
  const file = openLog(home, log)
  const [program, ...args] = command as [string, ...string[]]
  const child = spawn(program, args, { detached: true, stdio: ['ignore', file, file] })
  closeSync(file)
  const ended = new Promise<never>((_, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => reject(diedError(home, log, code)))
  })
  ended.catch(() => {})
  try {
    const ports = await Promise.race([readyPorts(home, child.pid, signal), ended])
    output.document({ pid: child.pid, home, ports })
    output.print(`The daemon runs: process ${child.pid ?? 'unknown'}, home ${home}.`)
  } catch (error) {
    // Half started is not started.
    child.kill('SIGTERM')
    throw error
  }
  child.unref()
}

function openLog(home: string, log: string): number {
  try {
    mkdirSync(join(home, 'logs'), { recursive: true, mode: 0o700 })
    return openSync(log, 'a', 0o600)
  } catch (error) {
    throw new WeftError({
      code: 'E_STATE_UNWRITABLE',
      cause: `The home ${home} cannot be written to: ${messageOf(error)}`,
      fix: 'Name a directory of your own with --home or WEFT_HOME.',
      origin: error,
    })
  }
}

/** Resolves once daemon.json names this process: the daemon writes it when it is ready. */
async function readyPorts(home: string, pid: number | undefined, signal: AbortSignal): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  const look = async (): Promise<void> => {
    try {
      const ready = JSON.parse(await readFile(join(home, 'daemon.json'), 'utf8')) as { pid: number; ports: unknown }
      if (ready.pid === pid) resolve(ready.ports)
    } catch {
      // Not there yet.
    }
  }
  const watcher = watch(home, () => void look())
  const onAbort = (): void => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    void look()
    return await promise
  } finally {
    watcher.close()
    signal.removeEventListener('abort', onAbort)
  }
}

function diedError(home: string, log: string, code: number | null): WeftError {
  const fault = lastFault(home)
  return new WeftError({
    code: fault?.code ?? 'E_DAEMON_DIED',
    cause: fault?.cause ?? `The daemon ended with exit code ${code ?? 'unknown'} before it was ready.`,
    fix: fault?.fix ?? `See ${log}.`,
  })
}
