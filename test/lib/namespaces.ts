import { execFile, execFileSync } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Network namespaces of a test's own, wired to one another; all go with it. Needs root. */
export class Namespaces<Name extends string> implements Disposable {
  readonly #prefix: string
  readonly #made: Name[] = []

  /** @param prefix of their names on this machine */
  constructor(prefix: string, names: readonly Name[]) {
    this.#prefix = `${prefix}${process.pid.toString(36)}`
    for (const name of names) {
      execFileSync('ip', ['netns', 'add', this.of(name)], { stdio: 'pipe' })
      this.#made.push(name)
      this.ip(name, 'link', 'set', 'lo', 'up')
    }
  }

  of(name: Name): string {
    return `${this.#prefix}${name}`
  }

  ip(name: Name, ...words: readonly string[]): void {
    execFileSync('ip', ['-n', this.of(name), ...words], { stdio: 'pipe' })
  }

  /** Joins two by a wire: `to-B` in A, `to-A` in B. */
  wire(a: Name, b: Name): void {
    this.ip(a, 'link', 'add', `to-${b}`, 'type', 'veth', 'peer', 'name', `to-${a}`, 'netns', this.of(b))
    this.ip(a, 'link', 'set', `to-${b}`, 'up')
    this.ip(b, 'link', 'set', `to-${a}`, 'up')
  }

  /** Gives rules to the kernel (nft(8)). */
  nft(name: Name, rules: string): void {
    execFileSync('ip', ['netns', 'exec', this.of(name), 'nft', '-f', '-'], { input: rules, stdio: 'pipe' })
  }

  /** Writes a setting of the kernel (sysctl(8)). */
  set(name: Name, path: string, value: string): void {
    const script = `echo ${value} > /proc/sys/${path}`
    execFileSync('ip', ['netns', 'exec', this.of(name), 'sh', '-c', script], { stdio: 'pipe' })
  }

  /** What a program prints that runs in one of them. */
  async exec(name: Name, words: readonly string[], timeout = 120_000): Promise<string> {
    const { stdout } = await run('ip', ['netns', 'exec', this.of(name), ...words], { timeout })
    return stdout
  }

  [Symbol.dispose](): void {
    for (const name of this.#made.splice(0)) {
      try {
        execFileSync('ip', ['netns', 'delete', this.of(name)], { stdio: 'pipe' })
      } catch {
        // What is left of a set-up that failed half-way.
      }
    }
  }
}
