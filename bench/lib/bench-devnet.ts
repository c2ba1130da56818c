import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const WEFT = join(import.meta.dirname, '..', '..', 'dist', 'weft.js')
const NODES = 12

/** What `weft devnet up --json` prints, as far as benches need it. */
export interface DevnetUp {
  readonly nodes: readonly {
    readonly name: string
    readonly id: string
    readonly pid: number
    readonly home: string
    readonly roles: readonly string[]
  }[]
}

/** Runs the built command to its end; `ms` is the life of its process. @throws Error with what it printed when it failed */
export function weft(args: readonly string[], home?: string): Promise<{ readonly text: string; readonly ms: number }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ text: string; ms: number }>()
  const started = performance.now()
  const env = home === undefined ? process.env : { ...process.env, WEFT_HOME: home }
  const child = spawn(process.execPath, [WEFT, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const out: Buffer[] = []
  const errors: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk))
  child.once('close', (code) => {
    if (code === 0) resolve({ text: Buffer.concat(out).toString(), ms: performance.now() - started })
    else reject(new Error(`weft ${args.join(' ')} ended with ${code}: ${Buffer.concat(errors).toString()}`))
  })
  return promise
}

/** The network as people run it, of twelve processes where nothing else is said, in a directory that disposing removes. */
export class BenchDevnet implements AsyncDisposable {
  /** For files of the bench. */
  readonly directory = mkdtempSync(join(tmpdir(), 'weft-bench-'))
  readonly network = join(this.directory, 'net')
  /** Home of the node `client`. */
  readonly client = join(this.network, 'client')
  readonly #basePort: number
  readonly #nodes: number

  constructor(basePort: number, nodes = NODES) {
    this.#basePort = basePort
    this.#nodes = nodes
  }

  /** Starts it anew, from nothing; resolves when all members are in the signed map. */
  async up(): Promise<{ readonly nodes: DevnetUp['nodes']; readonly ms: number }> {
    await this.#down()
    const where = ['--dir', this.network, '--base-port', String(this.#basePort)]
    const { text, ms } = await weft(['devnet', 'up', '--nodes', String(this.#nodes), ...where, '--detach', '--json'])
    return { nodes: (JSON.parse(text) as DevnetUp).nodes, ms }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#down()
    rmSync(this.directory, { recursive: true, force: true })
  }

  /** Well when there is none. */
  async #down(): Promise<void> {
    await weft(['devnet', 'down', '--dir', this.network, '--erase']).catch(() => {})
  }
}
