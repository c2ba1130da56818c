import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { type TestContext, describe, test } from 'node:test'
import { VirtualClock, silentLogger } from '@weft/core'
import { type Credential, S3Server } from '../src/index.ts'
import { MAX_CONNECTIONS, MAX_REQUESTS, MAX_REQUESTS_OF_KEY, MAX_STORING_OF_KEY } from '../src/limits.ts'
import { MemoryBuckets } from './support/memory-buckets.ts'
import { allOf, answerTo, openSocket, presignedHead, signedHead } from './support/raw-client.ts'

const key = (name: string): Credential => ({
  accessKeyId: name,
  secretAccessKey: randomBytes(30).toString('base64'),
  scope: { buckets: 'all', access: 'write' },
})

/** A server on a clock of its own, in front of buckets in memory. */
async function open(t: TestContext, buckets: MemoryBuckets = new MemoryBuckets()) {
  const clock = new VirtualClock(Date.UTC(2026, 0, 2, 3, 4, 5))
  const keys = { one: key('ONE'), other: key('OTHER') }
  const server = await S3Server.open({
    host: '127.0.0.1',
    port: 0,
    buckets,
    credentials: { find: (id) => Object.values(keys).find(({ accessKeyId }) => accessKeyId === id) },
    owner: { id: 'a'.repeat(64), name: 'weft' },
    clock,
    logger: silentLogger,
  })
  t.after(() => server[Symbol.asyncDispose]())
  await buckets.create('wire')
  const { port } = server
  const head = (method: string, url: string, headers: Record<string, string> = {}, who: Credential = keys.one) =>
    signedHead({ port, key: who, method, url, now: clock.now(), headers })
  const presigned = (method: string, url: string, headers: Record<string, string> = {}) =>
    presignedHead({ port, key: keys.one, method, url, now: clock.now(), headers })
  return { server, port, clock, keys, buckets, head, presigned }
}

const close = { connection: 'close' }
const statusOf = (answer: string): number => Number(answer.slice(9, 12))

/** Sockets that go with the test. */
async function sockets(t: TestContext, port: number, count: number): Promise<Socket[]> {
  const all = await Promise.all(Array.from({ length: count }, () => openSocket(port)))
  t.after(() => all.forEach((socket) => socket.destroy()))
  return all
}

describe('clients without a key', () => {
  test('hold no place of those that have one by bodies that they announce and do not send', async (t) => {
    const { port, head } = await open(t)
    const refused = await sockets(t, port, MAX_REQUESTS + 1)
    await Promise.all(
      refused.map(async (socket) => {
        socket.write('PUT /wire/key HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n')
        const [answer] = (await once(socket, 'data')) as [Buffer]
        assert.equal(statusOf(answer.toString('latin1')), 403)
      }),
    )
    assert.equal(statusOf(await answerTo(port, head('GET', '/wire', close))), 200)
  })

  test('make room for a connection that is new, whether they say something or nothing', async (t) => {
    const { port, head } = await open(t)
    const [silent = [], refused = []] = await Promise.all(
      [MAX_CONNECTIONS / 2, MAX_CONNECTIONS / 2].map((count) => sockets(t, port, count)),
    )
    await Promise.all(
      refused.map(async (socket) => {
        socket.write('GET /wire HTTP/1.1\r\nhost: x\r\n\r\n')
        await once(socket, 'data')
      }),
    )
    assert.equal(silent.length + refused.length, MAX_CONNECTIONS)
    assert.equal(statusOf(await answerTo(port, head('GET', '/wire', close))), 200)
  })

  test('may not put off who has a key: a connection that was proven stays', async (t) => {
    const { port, head } = await open(t)
    const proven = await openSocket(port)
    t.after(() => proven.destroy())
    proven.write(head('GET', '/wire'))
    await once(proven, 'data')
    const strangers = await sockets(t, port, MAX_CONNECTIONS + 20)
    proven.write(head('GET', '/wire'))
    const [answer] = (await once(proven, 'data')) as [Buffer]
    assert.equal(statusOf(answer.toString('latin1')), 200)
    assert.ok(strangers.length > MAX_CONNECTIONS)
  })
})

describe('clients that do not take their answers', () => {
  test('are hung up on, lists as well as objects', async (t) => {
    const { port, head, clock, buckets } = await open(t)
    const name = (at: number): string => `${String(at).padStart(4, '0')}${'\u0001'.repeat(1_000)}`
    for (let at = 0; at < 1_000; at++) await buckets.put('wire', name(at), (async function* () {})())
    const whole = (await answerTo(port, head('GET', '/wire', close))).length
    const [socket] = (await sockets(t, port, 1)) as [Socket]
    const lists = 8
    for (let at = 1; at < lists; at++) socket.write(head('GET', '/wire'))
    socket.write(head('GET', '/wire', close))
    for (let at = 0; at < 400; at++) await clock.advance(1_000)
    const taken = await allOf(socket)
    assert.ok(taken.length < lists * (whole - 100), `${taken.length} of ${lists * whole}`)
  })

  test('answers to requests that come in a row are made one after the other', async (t) => {
    let most = 0
    let now = 0
    class Counting extends MemoryBuckets {
      override async get(...args: Parameters<MemoryBuckets['get']>): ReturnType<MemoryBuckets['get']> {
        most = Math.max(most, ++now)
        await new Promise((resolve) => setImmediate(resolve))
        now--
        return super.get(...args)
      }
    }
    const { port, head, buckets } = await open(t, new Counting())
    await buckets.put(
      'wire',
      'key',
      (async function* () {
        yield Buffer.from('bytes')
      })(),
    )
    const gets = Array.from({ length: 8 }, () => head('GET', '/wire/key')).join('')
    const [socket] = (await sockets(t, port, 1)) as [Socket]
    socket.write(gets + head('GET', '/wire/key', close))
    assert.equal((await allOf(socket)).split('HTTP/1.1 200 ').length, 10)
    assert.equal(most, 1)
  })

  test('more requests in a row than anybody sends end the connection', async (t) => {
    const { port, head, buckets } = await open(t)
    const remove = buckets.remove.bind(buckets)
    let removed = 0
    buckets.remove = (...args) => {
      removed++
      return remove(...args)
    }
    const text = Array.from({ length: 40 }, () => head('DELETE', '/wire/key')).join('')
    await answerTo(port, text)
    assert.ok(removed < 40, `${removed}`)
  })
})

describe('one key among several', () => {
  test('has not all places for requests', async (t) => {
    const all = Promise.withResolvers<void>()
    const go = Promise.withResolvers<void>()
    let waiting = 0
    class Waiting extends MemoryBuckets {
      override async get(...args: Parameters<MemoryBuckets['get']>): ReturnType<MemoryBuckets['get']> {
        if (++waiting === MAX_REQUESTS_OF_KEY) all.resolve()
        await go.promise
        return super.get(...args)
      }
    }
    const { port, head, keys, buckets } = await open(t, new Waiting())
    await buckets.put('wire', 'key', (async function* () {})())
    const slow = await sockets(t, port, MAX_REQUESTS_OF_KEY)
    const answers = slow.map((socket) => allOf(socket))
    for (const socket of slow) socket.write(head('GET', '/wire/key', close))
    await all.promise
    assert.match(await answerTo(port, head('GET', '/wire', close)), /^HTTP\/1\.1 503 [^]*SlowDown/)
    assert.equal(statusOf(await answerTo(port, head('GET', '/wire', close, keys.other))), 200)
    go.resolve()
    for (const answer of await Promise.all(answers)) assert.equal(statusOf(answer), 200)
  })

  test('has not all places for bodies that are stored', async (t) => {
    const { port, head, keys, buckets } = await open(t)
    const slow = await sockets(t, port, 20)
    let begun = 0
    const put = buckets.put.bind(buckets)
    buckets.put = (...args) => {
      begun++
      return put(...args)
    }
    for (const [at, socket] of slow.entries())
      socket.write(head('PUT', `/wire/${at}`, { 'content-length': '5', expect: '100-continue' }))
    // Those that may be stored now are told so.
    const told = slow.map((socket) => once(socket, 'data'))
    await Promise.race(told)
    const other = `${head('PUT', '/wire/other', { 'content-length': '5', ...close }, keys.other)}bytes`
    assert.equal(statusOf(await answerTo(port, other)), 200)
    assert.ok(begun > 1 && begun < 8, `${begun}`)
    for (const socket of slow) socket.write('bytes')
    await Promise.all(told)
    await answerTo(port, `${head('PUT', '/wire/last', { 'content-length': '5', ...close })}bytes`)
    for (const at of slow.keys()) assert.equal(buckets.head('wire', String(at)).size, 5)
  })

  test('has not all places by copies of parts', async (t) => {
    const all = Promise.withResolvers<void>()
    const go = Promise.withResolvers<void>()
    let begun = 0
    class Waiting extends MemoryBuckets {
      override async putPart(...args: Parameters<MemoryBuckets['putPart']>): ReturnType<MemoryBuckets['putPart']> {
        if (++begun === MAX_STORING_OF_KEY) all.resolve()
        await go.promise
        return super.putPart(...args)
      }
    }
    const { port, head, keys, buckets } = await open(t, new Waiting())
    await buckets.put('wire', 'key', (async function* () {})())
    const { id } = await buckets.startUpload('wire', 'whole')
    const from = { 'x-amz-copy-source': '/wire/key', 'content-length': '0', ...close }
    const slow = await sockets(t, port, 20)
    const answers = slow.map((socket) => allOf(socket))
    for (const [at, socket] of slow.entries())
      socket.write(head('PUT', `/wire/whole?partNumber=${at + 1}&uploadId=${id}`, from))
    await all.promise
    const other = `${head('PUT', '/wire/other', { 'content-length': '5', ...close }, keys.other)}bytes`
    assert.equal(statusOf(await answerTo(port, other)), 200)
    assert.equal(begun, MAX_STORING_OF_KEY)
    go.resolve()
    for (const answer of await Promise.all(answers)) assert.equal(statusOf(answer), 200)
    assert.equal(buckets.parts('wire', 'whole', id).length, 20)
  })
})

describe('headers that stand in a URL', () => {
  test('have names that headers may have', async (t) => {
    const { port, presigned, buckets } = await open(t)
    const none = { 'content-length': '0', ...close }
    for (const name of ['x-amz-meta-a%0D%0Aset-cookie%3A%20b', 'x-amz-meta-%C3%A9', 'x-amz-meta-a%20b']) {
      const answer = await answerTo(port, presigned('PUT', `/wire/key?${name}=1`, none))
      assert.equal(statusOf(answer), 400, answer)
    }
    assert.equal(statusOf(await answerTo(port, presigned('PUT', '/wire/key?X-Amz-Meta-A=1', none))), 200)
    assert.deepEqual([...buckets.head('wire', 'key').meta.metadata], [['a', '1']])
  })
})
