import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { eventually } from './eventually.ts'

/** What comes in by an interface of a namespace, as tcpdump tells it: one line a packet. */
export class Capture implements AsyncDisposable {
  readonly lines: string[] = []
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  /** @param filter of packets that are told (pcap-filter(7)) */
  static async open(namespace: string, device: string, filter: string): Promise<Capture> {
    const words = ['--immediate-mode', '-l', '-n', '-t', '-Q', 'in', '-B', '16384', '-i', device, filter]
    const child = spawn('ip', ['netns', 'exec', namespace, 'tcpdump', ...words], { stdio: ['ignore', 'pipe', 'pipe'] })
    const capture = new Capture(child)
    createInterface(child.stdout).on('line', (line) => capture.lines.push(line))
    // It says that it listens.
    await once(child.stderr, 'data')
    child.stderr.resume()
    return capture
  }

  /** Resolves once a line was seen that matches. */
  async seen(pattern: RegExp): Promise<void> {
    await eventually(
      `a packet ${pattern.source}`,
      async () => this.lines.filter((line) => pattern.test(line)).length,
      (count) => count > 0,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM')
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit')
  }
}
