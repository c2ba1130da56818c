import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { type DidKey } from '@weft/crypto'
import { TestNetwork, type TestNode } from './test-network.ts'
import { firstLine, untilStill } from './until.ts'

async function startPeer(
  t: TestContext,
  network: TestNetwork,
  mode = '',
): Promise<{ id: DidKey; child: ChildProcess }> {
  const child = spawn(process.execPath, [new URL('peer-process.ts', import.meta.url).pathname, mode], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const { id, addresses } = JSON.parse(await firstLine(child.stdout)) as { id: DidKey; addresses: string[] }
  network.addresses.set(id, addresses)
  return { id, child }
}

async function kill(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

test('a peer that is killed in the middle of a call fails it at once, and all later ones', async (t) => {
  await using network = new TestNetwork()
  const a: TestNode = await network.node({ listen: false })
  const { id, child } = await startPeer(t, network)
  await a.transport.call(id, 'map.certificates', {})
  // Far beyond what the test may take: only the loss of the connection can end it in time.
  const call = assert.rejects(a.transport.call(id, 'map.head', {}, { timeoutMs: 600_000 }), {
    code: 'E_NODE_UNREACHABLE',
    retryable: true,
  })
  await a.transport.call(id, 'map.certificates', {})
  await kill(child)
  await call
  await assert.rejects(a.transport.call(id, 'map.certificates', {}), { code: 'E_NODE_UNREACHABLE' })
})

test('a peer that is killed in the middle of a stream resets it', async (t) => {
  await using network = new TestNetwork()
  const a = await network.node({ listen: false })
  const { id, child } = await startPeer(t, network)
  const stream = await a.transport.open(id, 'shard')
  await stream.write(new Uint8Array(1_000_000))
  await kill(child)
  await assert.rejects(
    (async () => {
      for await (const _ of stream.incoming);
    })(),
    { code: 'E_STREAM_RESET' },
  )
  await stream.closed
})

test(
  'nine readers in another process that never read cost the writer a bounded amount of memory',
  { skip: process.platform !== 'linux' && 'reads /proc' },
  async (t) => {
    await using network = new TestNetwork()
    const a = await network.node({ listen: false })
    const { id } = await startPeer(t, network, 'stall')
    const streams = await Promise.all(Array.from({ length: 9 }, () => a.transport.open(id, 'shard')))
    const rss = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1_024
    const before = rss()
    let written = 0
    const writers = streams.map(async (stream) => {
      for (;;) {
        // A fresh array each time, so that whatever is held shows.
        await stream.write(new Uint8Array(262_144).fill(1))
        written += 262_144
      }
    })
    await untilStill(() => written, 60)
    assert.ok(written < 9 * 6 * 1_048_576, `${written} bytes went out`)
    assert.ok(rss() - before < 150 * 1_048_576, `${(rss() - before) / 1_048_576} MiB more`)
    for (const stream of streams) stream.abort(new Error('enough'))
    for (const result of await Promise.allSettled(writers)) assert.equal(result.status, 'rejected')
  },
)
