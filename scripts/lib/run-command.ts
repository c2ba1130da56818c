import { spawn } from 'node:child_process'

export interface CommandResult {
  /** The exit code; 128 + n when signal n ended the command. */
  readonly code: number
  /** Standard output and standard error in the order in which they arrived. */
  readonly output: string
}

export interface CommandOptions {
  readonly cwd: string
  readonly env?: NodeJS.ProcessEnv
  readonly signal?: AbortSignal
}

/**
 * Runs a program to its end and collects what it printed. A non-zero exit is a result, not an error.
 * @throws Error when the program cannot be started or `signal` aborts (the child is then killed)
 */
export function runCommand(
  program: string,
  args: readonly string[],
  { cwd, env = process.env, signal }: CommandOptions,
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], ...(signal && { signal }) })
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.once('error', reject)
    child.once('close', (code, ended) => {
      resolve({ code: code ?? (ended === null ? 1 : 128), output: Buffer.concat(chunks).toString('utf8') })
    })
  })
}
