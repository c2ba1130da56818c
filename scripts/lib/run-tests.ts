import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { TestTotals } from './test-totals.ts'

/** Files that may run beside each other. */
export interface TestPhase {
  readonly files: readonly string[]
  readonly concurrency: number
  /** A file that takes longer has hung, in ms. */
  readonly timeoutMs: number
  /** In place of the environment of this process. */
  readonly env?: NodeJS.ProcessEnv
}

/**
 * Runs the phases one after the other, each file in a process of its own, and reports them to standard output as one
 * run: every test, then the failures, then, always last, the closing counts of all phases together.
 */
export async function runTests(root: string, phases: readonly TestPhase[]): Promise<TestTotals> {
  const started = performance.now()
  const totals = new TestTotals()
  const events = async function* (): AsyncGenerator {
    for (const { files, concurrency, timeoutMs, env = process.env } of phases) {
      if (files.length === 0) continue
      const stream = run({
        files: files.map((file) => join(root, file)),
        concurrency,
        timeout: timeoutMs,
        cwd: root,
        env,
      })
      for await (const event of stream as AsyncIterable<{ type: string; data: { message?: unknown } }>) {
        const isClosing =
          event.type === 'test:diagnostic' && typeof event.data.message === 'string' && totals.add(event.data.message)
        if (!isClosing) yield event
      }
    }
  }
  await pipeline(Readable.from(events()), new spec(), process.stdout, { end: false })
  process.stdout.write(totals.render(performance.now() - started))
  return totals
}
