import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { holdLine } from '../lib/hold-line.ts'

const UP_MS = 10_000

/** Why a tunnel of wireguard-go cannot be had here; undefined when it can. */
export function missingForWireguard(): string | undefined {
  const directories = (process.env['PATH'] ?? '').split(':')
  const missing = ['wireguard-go', 'wg'].filter((name) => !directories.some((path) => existsSync(`${path}/${name}`)))
  return missing.length === 0
    ? undefined
    : `${missing.join(' and ')} not installed (scripts/setup-test-tools.sh installs them)`
}

/** One hop in user space: wireguard-go in two namespaces with a wire between them. Needs root. */
export class WireguardPair implements AsyncDisposable {
  /** Of the server inside the tunnel. */
  readonly server = '10.77.0.2'
  readonly #prefix = `wg${process.pid.toString(36)}`
  readonly #stack = new AsyncDisposableStack()
  readonly #directory = mkdtempSync(join(tmpdir(), 'weft-wireguard-'))

  /** Resolves when packets can pass. @param mbit what the wire carries each way; as much as it can by default */
  static async up(mbit?: number): Promise<WireguardPair> {
    const pair = new WireguardPair()
    try {
      await pair.#up(mbit)
      return pair
    } catch (error) {
      await pair[Symbol.asyncDispose]()
      throw error
    }
  }

  namespace(end: 'c' | 's'): string {
    return `${this.#prefix}${end}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
    rmSync(this.#directory, { recursive: true })
  }

  async #up(mbit: number | undefined): Promise<void> {
    const ends = ['c', 's'] as const
    for (const end of ends) {
      run('ip', 'netns', 'add', this.namespace(end))
      this.#stack.defer(() => void run('ip', 'netns', 'delete', this.namespace(end)))
      this.#in(end, 'ip', 'link', 'set', 'lo', 'up')
    }
    this.#in('c', 'ip', 'link', 'add', 'wire', 'type', 'veth', 'peer', 'name', 'wire', 'netns', this.namespace('s'))
    const keys = ends.map(() => {
      const secret = run('wg', 'genkey').trim()
      return { secret, public: execFileSync('wg', ['pubkey'], { input: secret, encoding: 'utf8' }).trim() }
    })
    for (const [at, end] of ends.entries()) {
      this.#in(end, 'ip', 'address', 'add', `10.76.0.${at + 1}/24`, 'dev', 'wire')
      this.#in(end, 'ip', 'link', 'set', 'wire', 'up')
      if (mbit !== undefined) holdLine(this.namespace(end), 'wire', mbit)
      await this.#start(end)
      const other = ends.length - 1 - at
      const keyFile = join(this.#directory, end)
      writeFileSync(keyFile, keys[at]?.secret ?? '', { mode: 0o600 })
      const words = ['listen-port', '51820', 'private-key', keyFile, 'peer', keys[other]?.public ?? '']
      const peer = ['allowed-ips', '10.77.0.0/24', 'endpoint', `10.76.0.${other + 1}:51820`]
      this.#in(end, 'wg', 'set', this.#device(end), ...words, ...peer)
      this.#in(end, 'ip', 'address', 'add', `10.77.0.${at + 1}/24`, 'dev', this.#device(end))
      this.#in(end, 'ip', 'link', 'set', this.#device(end), 'up')
    }
  }

  /** Its control socket has the device's name and is not in a namespace. */
  #device(end: 'c' | 's'): string {
    return `${this.#prefix}${end}0`
  }

  async #start(end: 'c' | 's'): Promise<void> {
    const words = ['netns', 'exec', this.namespace(end), 'wireguard-go', '--foreground', this.#device(end)]
    // It warns at length that a kernel could do it, too.
    const child: ChildProcess = spawn('ip', words, { stdio: 'ignore' })
    this.#stack.defer(() => void child.kill('SIGTERM'))
    const deadline = performance.now() + UP_MS
    while (!existsSync(`/var/run/wireguard/${this.#device(end)}.sock`)) {
      if (child.exitCode !== null || performance.now() > deadline)
        throw new Error(`wireguard-go did not start (${child.exitCode})`)
      await wait(20)
    }
  }

  #in(end: 'c' | 's', ...words: readonly string[]): void {
    run('ip', 'netns', 'exec', this.namespace(end), ...words)
  }
}

function run(program: string, ...words: readonly string[]): string {
  return execFileSync(program, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}
