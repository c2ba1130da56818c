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

/** A server that says nothing, on all addresses, and a client that tells how long it takes to connect to one of them. */
const SILENT_SERVER = `require('node:net').createServer(() => {}).listen(25801, '0.0.0.0', () => console.log('up'))`
const CONNECTS = `const start = performance.now(); require('node:net').connect(25801, process.argv[1]).on('connect', () => { console.log(performance.now() - start); process.exit() })`

/** Namespaces that go with the object. */
class Namespaces implements Disposable {
  readonly names: readonly string[]

  constructor(...ends: readonly string[]) {
    this.names = ends.map((end) => `weftlink${process.pid.toString(36)}${end}`)
    for (const name of this.names) execFileSync('ip', ['netns', 'add', name])
  }

  /** Each with its address in one network. */
  get ends(): readonly { readonly namespace: string; readonly address: string }[] {
    return this.names.map((namespace, at) => ({ namespace, address: `10.9.0.${at + 1}/24` }))
  }

  words(end: number, ...words: readonly string[]): string[] {
    return ['netns', 'exec', this.names[end] as string, ...words]
  }

  run(end: number, ...words: readonly string[]): string {
    return execFileSync('ip', this.words(end, ...words), { encoding: 'utf8' })
  }

  [Symbol.dispose](): void {
    for (const name of this.names) execFileSync('ip', ['netns', 'delete', name])
  }
}

test(
  'a link carries what is sent whole, late and in spite of its losses',
  { skip: skipWithout('root', 'nat', 'tun') },
  async (t) => {
    using pair = new Namespaces('a', 'b')
    await using _ = await UserSpaceLink.open({ ends: pair.ends, profile: { delayMs: 20, loss: 0.01 } })
    const server = spawn('ip', pair.words(1, process.execPath, '-e', SERVER))
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

test(
  'of three ends, each pair has the delays of its own two directions',
  { skip: skipWithout('root', 'nat', 'tun') },
  async (t) => {
    const delays = [
      [0, 10, 120],
      [30, 0, 60],
      [120, 20, 0],
    ]
    using three = new Namespaces('c', 'd', 'e')
    const profile = (from: number, to: number) => ({ delayMs: delays[from]?.[to] ?? 0, loss: 0 })
    await using _ = await UserSpaceLink.open({ ends: three.ends, profile })
    const servers = [1, 2].map((end) => spawn('ip', three.words(end, process.execPath, '-e', SILENT_SERVER)))
    try {
      await Promise.all(servers.map(({ stdout }) => once(stdout, 'data')))
      const took = (from: number, to: number) =>
        Number(three.run(from, process.execPath, '-e', CONNECTS, `10.9.0.${to + 1}`))
      const times = { ab: took(0, 1), ac: took(0, 2), bc: took(1, 2) }
      t.diagnostic(`connected after ${JSON.stringify(times)} ms`)
      assert.ok(times.ab >= 40 && times.ac >= 240 && times.bc >= 80, 'there and back')
    } finally {
      for (const server of servers) {
        server.kill('SIGKILL')
        await once(server, 'exit')
      }
    }
  },
)
