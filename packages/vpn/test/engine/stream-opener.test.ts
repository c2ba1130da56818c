import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { VirtualClock, isWeftError } from '@weft/core'
import { SessionCode } from '@weft/onion'
import { FlushQueue } from '../../src/engine/flush-queue.ts'
import type { PathSet } from '../../src/engine/path-set.ts'
import { ProxyServer } from '../../src/engine/proxy-server.ts'
import { AnswerWatch } from '../../src/engine/answer-watch.ts'
import { type OpenerRoutes, StreamOpener } from '../../src/engine/stream-opener.ts'
import { until } from './exit-rig.ts'
import { FakeStream } from './fake-stream.ts'

const TARGET = { host: 'a.test', port: 80 }
const SOCKS = Uint8Array.of(5, 1, 0, 5, 1, 0, 1, 192, 0, 2, 1, 0, 80)
const HTTP = 'CONNECT a.test:80 HTTP/1.1\r\nHost: a.test\r\n\r\n'
/** ms in which a program is answered, whatever happens. */
const PATIENCE = 5_000

/** An opener over path sets that it is told of; `asked` has the streams that were opened over any. */
function opener() {
  const clock = new VirtualClock()
  const asked: FakeStream[] = []
  let nextId = 0
  let used: PathSet | undefined
  let beside: PathSet | undefined
  const left: PathSet[] = []
  const holds: Parameters<OpenerRoutes['hold']>[] = []
  const watch = new AnswerWatch(clock, () => {})
  const paths = (healthy = true): PathSet =>
    ({
      healthy,
      over: false,
      forget: () => {},
      openStream: () => {
        const stream = new FakeStream()
        stream.id = nextId
        asked.push(stream)
        return stream
      },
    }) as unknown as PathSet
  const routes = {
    inUse: () => used,
    near: () => undefined,
    beside: () => beside,
    hold: (...held: Parameters<OpenerRoutes['hold']>) => {
      holds.push(held)
      return watch
    },
    keep: () => {},
    leaveExit: (each: PathSet) => left.push(each),
    lastFault: () => undefined,
  }
  const one = new StreamOpener(routes, clock)
  return {
    clock,
    asked,
    left,
    holds,
    watch,
    /** The id of streams from now on; -1 while the exit allows none. */
    give: (id: number) => void (nextId = id),
    paths,
    opener: one,
    setBeside: (paths: PathSet) => void (beside = paths),
    use: (next: PathSet | undefined) => {
      used = next
      one.wake()
    },
  }
}

/** What a program is answered, before an opener of routes. */
async function program(t: TestContext, rig: ReturnType<typeof opener>, said: Uint8Array | string) {
  const { clock } = rig
  const proxy = new ProxyServer({
    queue: new FlushQueue(() => {}),
    clock,
    resolve: () => Promise.reject(new Error('nothing is to be looked up')),
    open: (target, _, signal, take) => rig.opener.open(target, signal, take),
  })
  const port = await proxy.listen('127.0.0.1', 0)
  const socket = connect({ host: '127.0.0.1', port })
  t.after(async () => {
    socket.destroy()
    await proxy.close()
  })
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => void chunks.push(chunk))
  socket.write(said)
  return { proxy, ended: once(socket, 'end').then(() => Buffer.concat(chunks)) }
}

for (const [name, said, reply] of [
  ['SOCKS5', SOCKS, /^0500050600/],
  ['HTTP CONNECT', HTTP, new RegExp(`^${Buffer.from('HTTP/1.1 504 ').toString('hex')}`)],
] as const)
  test(`a target of which nothing is heard: ${name} says so within 5 s, and the status why`, async (t) => {
    const rig = opener()
    rig.use(rig.paths())
    const { proxy, ended } = await program(t, rig, said)
    await until(() => rig.asked.length === 1)
    await rig.clock.advance(PATIENCE)
    assert.deepEqual(rig.asked[0]?.ends, ['reset 0'])
    assert.match((await ended).toString('hex'), reply)
    const [{ code, cause, fix }] = proxy.failures as [(typeof proxy.failures)[0]]
    assert.deepEqual([code, cause !== '', fix !== ''], ['E_TARGET_TIMEOUT', true, true])
  })

for (const [name, said, reply] of [
  ['SOCKS5', SOCKS, /^0500050300/],
  ['HTTP CONNECT', HTTP, new RegExp(`^${Buffer.from('HTTP/1.1 503 ').toString('hex')}`)],
] as const)
  test(`no route gets ready: ${name} says so within 5 s, and the status why`, async (t) => {
    const rig = opener()
    const { proxy, ended } = await program(t, rig, said)
    await until(() => rig.opener.waiting === 1)
    await rig.clock.advance(PATIENCE)
    assert.equal(rig.opener.waiting, 0)
    assert.match((await ended).toString('hex'), reply)
    assert.equal(proxy.failures[0]?.code, 'E_ROUTE_TIMEOUT')
  })

test('legs that fall silent one after another do not make the time longer: it is that of the request', async () => {
  const rig = opener()
  const [first, second] = [rig.paths(), rig.paths()] as [{ healthy: boolean } & PathSet, PathSet]
  rig.use(first)
  const ends: unknown[] = []
  rig.opener
    .open(TARGET, new AbortController().signal, () => assert.fail('nobody opened it'))
    .catch((error: unknown) => void ends.push(error))
  await rig.clock.advance(PATIENCE - 1_000)
  Object.assign(first, { healthy: false })
  rig.use(second)
  await rig.clock.advance(0)
  assert.equal(rig.asked.length, 2)
  await rig.clock.advance(1_000)
  assert.deepEqual(
    ends.map((error) => isWeftError(error, 'E_TARGET_TIMEOUT')),
    [true],
  )
})

test('how long an exit took to open a stream is told, but of one that waited for others before; and who takes it gets what watches it', async () => {
  const rig = opener()
  const paths = rig.paths()
  rig.use(paths)
  const watches: unknown[] = []
  for (const id of [3, -1]) {
    rig.give(id)
    const open = rig.opener.open(TARGET, new AbortController().signal, (_, __, watch) => void watches.push(watch))
    const stream = rig.asked.at(-1) ?? assert.fail()
    await rig.clock.advance(70)
    stream.handler.onOpened?.('192.0.2.1')
    await open
  }
  assert.deepEqual(rig.holds, [
    [TARGET, paths, 70],
    [TARGET, paths, undefined],
  ])
  assert.deepEqual(watches, [rig.watch, rig.watch])
})

test('an exit that does not offer it is left for another one, which is asked in what is left of the time', async () => {
  const rig = opener()
  const [first, second] = [rig.paths(), rig.paths()]
  rig.use(first)
  const opened: PathSet[] = []
  const open = rig.opener.open(TARGET, new AbortController().signal, (_, paths) => void opened.push(paths))
  rig.use(second)
  rig.asked[0]?.handler.onRefused?.(SessionCode.notOffered)
  await rig.clock.advance(0)
  rig.asked[1]?.handler.onOpened?.('192.0.2.1')
  await open
  assert.deepEqual([rig.left, opened], [[first], [second]])
})

test('an exit that takes no further stream, and says nothing, is full: SOCKS5 says so within 5 s, and the status why', async (t) => {
  const rig = opener()
  rig.use(rig.paths())
  const { proxy, ended } = await program(t, rig, SOCKS)
  await until(() => rig.asked.length === 1)
  Object.assign(rig.asked[0] as object, { isHeard: false })
  await rig.clock.advance(PATIENCE)
  assert.match((await ended).toString('hex'), /^0500050100/)
  assert.equal(proxy.failures[0]?.code, 'E_EXIT_FULL')
})

test('where a route to another exit is ready, that one is asked in time', async () => {
  const rig = opener()
  const [first, second] = [rig.paths(), rig.paths()]
  rig.use(first)
  rig.setBeside(second)
  const opened: PathSet[] = []
  const open = rig.opener.open(TARGET, new AbortController().signal, (_, paths) => void opened.push(paths))
  Object.assign(rig.asked[0] as object, { isHeard: false })
  await rig.clock.advance(1_500)
  assert.deepEqual(rig.asked[0]?.ends, ['reset 0'])
  rig.asked[1]?.handler.onOpened?.('192.0.2.1')
  await open
  assert.deepEqual([opened, rig.left], [[second], []])
})
