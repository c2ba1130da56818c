import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')
/** The built command; a test of people's first steps runs what people run. */
const WEFT = join(root, 'dist', 'weft.js')

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export function startWeft(
  args: readonly string[],
  env: Record<string, string> = {},
  user?: User,
): { readonly child: ChildProcess; readonly finished: Promise<Finished> } {
  if (!existsSync(WEFT)) throw new Error('dist/weft.js is missing: npm run build')
  return startProcess([WEFT, ...args], env, user)
}

/** Another user to run as (setuid(2)); needs root. */
export interface User {
  readonly uid: number
  readonly gid: number
}

/** Runs a script of this repository under its own Node. */
export function startProcess(
  args: readonly string[],
  env: Record<string, string> = {},
  user?: User,
): { readonly child: ChildProcess; readonly finished: Promise<Finished> } {
  const child = spawn(process.execPath, [...args], {
    cwd: root,
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, ...env },
    stdio: 'pipe',
    ...user,
  })
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  const finished = new Promise<Finished>((resolve) => {
    child.once('close', (code) =>
      resolve({ code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }),
    )
  })
  return { child, finished }
}

export function weft(args: readonly string[], env?: Record<string, string>, user?: User): Promise<Finished> {
  const { child, finished } = startWeft(args, env, user)
  child.stdin?.end()
  return finished
}

/** The JSON document of a command that must succeed. */
export async function weftJson<T>(args: readonly string[], env?: Record<string, string>): Promise<T> {
  const { code, stdout, stderr } = await weft([...args, '--json'], env)
  if (code !== 0) throw new Error(`weft ${args.join(' ')} ended with ${code}: ${stderr}`)
  return JSON.parse(stdout) as T
}
