import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** Lines of a log that an error shows. */
const KEPT_LINES = 8
/** ms until a process that does not heed SIGTERM is killed. */
const PATIENCE_MS = 5_000

/** One process of Debian's tor, with a data directory of its own and its log read line by line. It dies with this process. */
export class TorProcess implements AsyncDisposable {
  readonly name: string
  readonly #child: ChildProcess
  readonly #gone: Promise<unknown>
  readonly #lines: string[] = []
  readonly #listeners = new Set<(line: string) => void>()

  private constructor(name: string, child: ChildProcess) {
    this.name = name
    this.#child = child
    this.#gone = once(child, 'close')
    for (const stream of [child.stdout, child.stderr])
      if (stream !== null) createInterface(stream).on('line', (line) => this.#onLine(line))
  }

  /** @param options one line of torrc(5) each, beside those that every process of a private network has */
  static start(directory: string, name: string, options: readonly string[]): TorProcess {
    const file = writeTorrc(directory, name, [...options, `__OwningControllerProcess ${process.pid}`])
    return new TorProcess(name, spawn('tor', torArguments(file), { stdio: ['ignore', 'pipe', 'pipe'] }))
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Resolves once the log has a line with `text`. @throws Error with the end of the log when that takes longer than `ms`, or the process ends */
  async logged(text: string, ms: number): Promise<void> {
    if (this.#lines.some((line) => line.includes(text))) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const fail = (why: string): void => reject(new Error(`${this.name}: ${why}; its log:\n${this.log}`))
    const timer = setTimeout(() => fail(`no "${text}" within ${ms / 1_000} s`), ms)
    const listener = (line: string): void => {
      if (line.includes(text)) resolve()
    }
    this.#listeners.add(listener)
    void this.#gone.then(() => fail(`ended with ${this.#child.exitCode} before "${text}"`))
    try {
      await promise
    } finally {
      clearTimeout(timer)
      this.#listeners.delete(listener)
    }
  }

  /** The last lines. */
  get log(): string {
    return this.#lines.slice(-KEPT_LINES).join('\n')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE_MS)
    await this.#gone
    clearTimeout(timer)
  }

  #onLine(line: string): void {
    this.#lines.push(line)
    for (const listener of this.#listeners) listener(line)
  }
}

/** The configuration of one process in its data directory, which is made; the path of its file. */
export function writeTorrc(directory: string, name: string, options: readonly string[]): string {
  const data = join(directory, name)
  mkdirSync(data, { recursive: true, mode: 0o700 })
  const file = join(data, 'torrc')
  const all = [
    'TestingTorNetwork 1',
    `DataDirectory ${data}`,
    `Nickname ${name}`,
    'Address 127.0.0.1',
    'AssumeReachable 1',
    'Log notice stdout',
    ...options,
  ]
  writeFileSync(file, `${all.join('\n')}\n`)
  return file
}

/** Neither Debian's defaults nor the user's torrc are read. */
export function torArguments(file: string): readonly string[] {
  return ['-f', file, '--defaults-torrc', '/dev/null']
}
