import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const WEFT = join(import.meta.dirname, '..', '..', 'dist', 'weft.js')

export interface HomeSettings {
  /** Where it listens and is announced; without one it is a client. */
  readonly host?: string
  readonly publicPort: number
  /** First of its own ports, on loopback. */
  readonly base: number
  /** Further lines of weft.toml. */
  readonly more?: readonly string[]
}

/** Makes the home of a daemon that shares its machine with others, and so reserves no room on the disk. */
export function makeHome(home: string, { host, publicPort, base, more = [] }: HomeSettings): void {
  mkdirSync(home, { mode: 0o700, recursive: true })
  const network =
    host === undefined ? [] : ['[network]', `listen_host = "${host}"`, `announce = ["/ip4/${host}/tcp/${publicPort}"]`]
  const ports = ['[ports]', `base = ${base}`, ...(host === undefined ? [] : [`public = ${publicPort}`])]
  const text = [...network, ...ports, '[storage]', 'reserve = 0', ...more, ''].join('\n')
  writeFileSync(join(home, 'weft.toml'), text)
}

/** Starts a daemon in a network namespace, in the background. @param by words of a command that starts it */
export async function startDaemonIn(
  namespace: string,
  home: string,
  roles: string,
  by: readonly string[] = [],
): Promise<void> {
  const start = [...by, process.execPath, WEFT, 'start', '--detach', '--home', home, '--roles', roles]
  await run('ip', ['netns', 'exec', namespace, ...start], { env: { ...process.env, NODE_TEST_CONTEXT: undefined } })
}

/** Starts a script of Node in a network namespace; resolves when it says something, and ends it at the end. @param words behind `node` */
export async function startScriptIn(namespace: string, words: readonly string[]): Promise<AsyncDisposable> {
  const child: ChildProcess & { readonly stdout: NonNullable<ChildProcess['stdout']> } = spawn(
    'ip',
    ['netns', 'exec', namespace, process.execPath, ...words],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NODE_TEST_CONTEXT: undefined } },
  )
  const end = async (): Promise<void> => {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }
  await once(child.stdout, 'data')
  return { [Symbol.asyncDispose]: end }
}
