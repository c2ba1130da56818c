import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { type Interface, createInterface } from 'node:readline'
import { test } from 'node:test'
import type { HonestResult } from '../packages/vpn/test/flood/honest-process.ts'
import type { EntryState, FloodedNodes } from '../packages/vpn/test/flood/nodes-process.ts'
import { NatNetwork } from './lib/nat-network.ts'
import { skipWithout } from './lib/needs.ts'

const NODE = join(import.meta.dirname, '../bin/node')
const PROGRAMS = join(import.meta.dirname, '../packages/vpn/test/flood')
const MIB = 2 ** 20
/** As flood-process.ts sends; the goal of the design is the longer one. */
const RATE = process.env['WEFT_LONG'] === undefined ? '20,000' : '50,000'

/** A program in a namespace that is told and tells one line at a time. */
class Program implements AsyncDisposable {
  readonly #process: ChildProcess
  readonly #lines: Interface
  #said = ''

  constructor(namespace: string, name: string, ...args: readonly string[]) {
    const command = ['netns', 'exec', namespace, NODE, join(PROGRAMS, name), ...args]
    this.#process = spawn('ip', command, { stdio: ['pipe', 'pipe', 'pipe'] })
    const { stdout, stderr } = this.#process
    assert.ok(stdout !== null && stderr !== null)
    this.#lines = createInterface({ input: stdout })
    stderr.on('data', (chunk: Buffer) => (this.#said = `${this.#said}${chunk.toString()}`.slice(-4_000)))
  }

  /** The next line. @throws Error with what it said, when it ended before. */
  async line(): Promise<string> {
    const ended = new AbortController()
    const onExit = (): void => ended.abort(new Error(`it ended: ${this.#said}`))
    this.#process.once('exit', onExit)
    try {
      const [line] = (await once(this.#lines, 'line', { signal: ended.signal })) as [string]
      return line
    } catch (error) {
      throw ended.signal.aborted ? ended.signal.reason : error
    } finally {
      this.#process.off('exit', onExit)
    }
  }

  tell(): void {
    this.#process.stdin?.write('\n')
  }

  end(): void {
    this.#process.stdin?.end()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null) return
    this.#process.kill('SIGKILL')
    await once(this.#process, 'exit')
  }
}

test(
  `a flood of handshakes from 400 false addresses, ${RATE} a second: 99 of 100 strangers get a link within four tries of five seconds, a route that stands goes on, memory stays`,
  { skip: skipWithout('root', 'nat'), timeout: 240_000 },
  async (t) => {
    using network = new NatNetwork()
    const place = network.outside('flood', '10.99.0.1')
    execFileSync('ip', ['-n', place, 'address', 'add', '10.77.0.1/16', 'dev', 'lo'])
    await using nodes = new Program(place, 'nodes-process.ts')
    const described = await nodes.line()
    const [entry] = (JSON.parse(described) as FloodedNodes).members
    assert.ok(entry !== undefined)
    const state = async (): Promise<EntryState> => {
      const line = nodes.line()
      nodes.tell()
      return JSON.parse(await line) as EntryState
    }
    await using honest = new Program(place, 'honest-process.ts', described)
    assert.equal(await honest.line(), 'ready')
    const before = await state()

    await using flood = new Program(place, 'flood-process.ts', entry.address, String(entry.port), entry.linkKey)
    assert.equal(await flood.line(), 'ready')
    const result = honest.line()
    honest.tell()
    const { linked, atOnce, faults, pages, lost } = JSON.parse(await result) as HonestResult
    const after = await state()
    const sent = flood.line()
    flood.end()
    t.diagnostic(
      `${linked} of 100 strangers, ${atOnce} of them within five seconds; ${await sent} spoofed initiations, ${after.dropped['cookieReplies']} answered by cookies; ${pages} pages; ${JSON.stringify(after)}`,
    )

    assert.deepEqual(lost, [])
    assert.ok(pages > 0)
    assert.ok(linked >= 99, `${linked} of 100: ${faults.join('; ')}`)
    assert.ok((after.dropped['cookieReplies'] ?? 0) > 1_000)
    // What was let in before the queue had grown, and once a second after; nothing of it was ever confirmed.
    assert.ok(after.links - before.links < 400, `${after.links} links`)
    assert.ok(after.rss - before.rss < 128 * MIB, `${(after.rss - before.rss) / MIB} MiB more`)
  },
)
