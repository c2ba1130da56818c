import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { UserSpaceLink } from '../packages/devnet/src/user-space-link/user-space-link.ts'
import { skipWithout } from './lib/needs.ts'

const BYTES = 4 * 1024 * 1024
/** A server that sends so many bytes to whoever connects, and a client that counts them. */
const SERVER = `require('node:net').createServer((socket) => socket.end(Buffer.alloc(${BYTES}, 7))).listen(25800, '10.9.0.2', () => console.log('up'))`
const CLIENT = `let count = 0; let ms; const start = performance.now(); require('node:net').connect(25800, '10.9.0.2')
  .on('connect', () => (ms = performance.now() - start)).on('data', ({ length }) => (count += length)).on('close', () => console.log(JSON.stringify({ ms, count })))`

/** Two namespaces that go with the object. */
class Pair implements Disposable {
  readonly names = ['a', 'b'].map((end) => `weftlink${process.pid.toString(36)}${end}`) as [string, string]

  constructor() {
    for (const name of this.names) execFileSync('ip', ['netns', 'add', name])
  }

  run(end: 0 | 1, ...words: readonly string[]): string {
    return execFileSync('ip', ['netns', 'exec', this.names[end], ...words], { encoding: 'utf8' })
  }

  [Symbol.dispose](): void {
    for (const name of this.names) execFileSync('ip', ['netns', 'delete', name])
  }
}

test(
  'a link carries what is sent whole, late and in spite of its losses',
  { skip: skipWithout('root', 'nat', 'tun') },
  async (t) => {
    using pair = new Pair()
    const ends = pair.names.map((namespace, at) => ({ namespace, address: `10.9.0.${at + 1}/24` })) as [
      { namespace: string; address: string },
      { namespace: string; address: string },
    ]
    await using _ = await UserSpaceLink.open({ ends, profile: { delayMs: 20, loss: 0.01 } })
    const server = spawn('ip', ['netns', 'exec', pair.names[1], process.execPath, '-e', SERVER])
    try {
      await once(server.stdout, 'data')
      const { ms, count } = JSON.parse(pair.run(0, process.execPath, '-e', CLIENT)) as { ms: number; count: number }
      t.diagnostic(`connected after ${ms.toFixed(1)} ms`)
      assert.ok(ms >= 40, `${ms}: there and back takes 40 ms`)
      assert.equal(count, BYTES)
    } finally {
      server.kill('SIGKILL')
      await once(server, 'exit')
    }
  },
)
