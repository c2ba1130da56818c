import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'

const run = promisify(execFile)
const LIMITS = { timeout: 120_000, maxBuffer: 16 << 20 }

/** Where iperf3's server and its client run, and the server's address. */
export interface IperfPath {
  readonly server: string
  readonly client: string
  readonly host: string
}

/** Mbit/s that arrived of so many bytes from the client to the server, or back. Each run has a server of its own. */
export async function iperf({ server, client, host }: IperfPath, words: readonly string[]): Promise<number> {
  const listen = ['netns', 'exec', server, 'iperf3', '-s', '-1', '--forceflush', '-B', host]
  const child = spawn('ip', listen, { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    await once(child.stdout, 'data')
    const { stdout } = await run('ip', ['netns', 'exec', client, 'iperf3', '-J', '-c', host, ...words], LIMITS)
    const { end, error } = JSON.parse(stdout) as {
      readonly end: { readonly sum_received?: { readonly bits_per_second: number } }
      readonly error?: string
    }
    if (end.sum_received === undefined) throw new Error(`iperf3: ${error ?? 'nothing was received'}`)
    return end.sum_received.bits_per_second / 1e6
  } finally {
    if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit')
  }
}

/** Such as `3.12`. */
export function iperfVersion(): string {
  return /iperf ([\d.]+)/.exec(execFileSync('iperf3', ['--version'], { encoding: 'utf8' }))?.[1] ?? 'unknown'
}
