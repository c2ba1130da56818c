import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { abortError, WeftError } from '@weft/core'

/** Runs `weft` as a person would. */
export class WeftCommand {
  readonly #script: string
  readonly #signal: AbortSignal

  constructor(root: string, signal: AbortSignal) {
    this.#script = join(root, 'dist', 'weft.js')
    this.#signal = signal
  }

  /**
   * The JSON document that a command prints with --json. What it writes to stderr (progress) goes through.
   * @throws WeftError the command's own fault; E_ABORTED
   */
  async json<T>(...args: readonly string[]): Promise<T> {
    const child = spawn(process.execPath, [this.#script, ...args, '--json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: this.#signal,
    })
    const output: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
    // Words of errors come in the document as well.
    child.stderr.resume()
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', (error) => reject(this.#signal.aborted ? abortError(this.#signal) : error))
      child.once('close', resolve)
    })
    const text = Buffer.concat(output).toString('utf8')
    if (code !== 0) throw faultOf(args, code, text)
    return JSON.parse(text) as T
  }
}

function faultOf(args: readonly string[], code: number | null, text: string): WeftError {
  try {
    const { error } = JSON.parse(text) as { error: { code: string; cause: string; fix: string } }
    return new WeftError(error)
  } catch {
    // It died before it could tell.
    return new WeftError({
      code: 'E_TOUR_COMMAND',
      cause: `weft ${args[0] ?? ''} ended with exit code ${code ?? 'none'} and said nothing.`,
      fix: 'Run the command by hand to see why.',
    })
  }
}
