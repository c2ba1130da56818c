import assert from 'node:assert/strict'
import { Socket as Datagrams, createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { WeftError, systemClock, systemRandom } from '@weft/core'
import { DNS_STREAM, SessionCode, type SessionStream } from '@weft/onion'
import { extendedErrorOf, readAnswer } from '../../src/dns/dns-answer.ts'
import { u16 } from '../../src/dns/dns-message.ts'
import { MessageFramer, framed } from '../../src/dns/message-framer.ts'
import type { DnsLinkInit } from '../../src/engine/dns-link.ts'
import { LocalDns } from '../../src/engine/local-dns.ts'
import type { WriteEarly } from '../../src/engine/stream-opener.ts'
import { type Known, NameServer, type Zone, a, queryFor, txt, wireName } from '../dns/name-server.ts'
import { dnsOver, exitRig, until } from './exit-rig.ts'
import { thereAndBack } from './there-and-back.ts'

const BIG = 'y'.repeat(5_000)
const ZONE: Zone = new Map<string, Known>([
  ['www.test', [a('192.0.2.1'), a('2606:4700::1'), txt('hello')]],
  ['big.test', [txt(BIG)]],
  ['inside.test', [a('10.0.0.1')]],
  ['half.test', [a('192.0.2.1'), a('192.168.0.1')]],
  ['failing.test', 'failing'],
  ['silent.test', 'silent'],
  ['mail.test', [{ type: 15, ttl: 60, data: Buffer.concat([Uint8Array.of(0, 10), wireName('mx.test')]) }]],
])

/** DNS of a machine whose exit asks a name server beside it. */
async function asked(
  t: TestContext,
  options: { readonly fault?: (writeEarly: WriteEarly) => WeftError | undefined; readonly deadFirst?: boolean } = {},
) {
  const server = await NameServer.listen(ZONE)
  t.after(() => server[Symbol.asyncDispose]())
  const dead = createSocket('udp4').bind(0, '127.0.0.1')
  await once(dead, 'listening')
  const { port: unused } = dead.address()
  dead.close()
  const servers = [...(options.deadFirst === true ? [`127.0.0.1:${unused}`] : []), `127.0.0.1:${server.port}`]
  const rig = exitRig(systemClock, { nameServers: servers })
  const streams: SessionStream[] = []
  const open = dnsOver(rig, streams)
  const init: DnsLinkInit = {
    clock: systemClock,
    random: systemRandom,
    open: async (_, take, writeEarly) => {
      const fault = options.fault?.(writeEarly)
      if (fault !== undefined) throw fault
      return open(take, writeEarly)
    },
  }
  const dns = await LocalDns.listen(init, '127.0.0.1', 0)
  t.after(async () => {
    await dns.close()
    rig.close()
  })
  const resolver = new Resolver({ timeout: 8_000, tries: 1 })
  resolver.setServers([`127.0.0.1:${dns.endpoint.port}`])
  return { server, dns, resolver, streams, rig, port: dns.endpoint.port }
}

/** One message by UDP and its answer. */
async function byUdp(port: number, query: Uint8Array): Promise<Buffer> {
  const socket = createSocket('udp4')
  try {
    socket.send(query, port, '127.0.0.1')
    const [answer] = (await once(socket, 'message')) as [Buffer]
    return answer
  } finally {
    socket.close()
  }
}

test('where any port will do, one is taken that is free for both protocols', async (t) => {
  const { dns } = await asked(t)
  const bind = t.mock.method(Datagrams.prototype, 'bind')
  bind.mock.mockImplementationOnce(function (this: Datagrams) {
    process.nextTick(() => this.emit('error', Object.assign(new Error('taken'), { code: 'EADDRINUSE' })))
    return this
  })
  const init = { clock: systemClock, random: systemRandom, open: () => Promise.reject(new Error('nothing is asked')) }
  const other = await LocalDns.listen(init, '127.0.0.1', 0)
  assert.equal(bind.mock.callCount(), 2)
  await other.close()
  await assert.rejects(LocalDns.listen(init, '127.0.0.1', dns.endpoint.port), { code: 'E_PORT_TAKEN' })
})

test('programs get records of every type, by asking the exit', async (t) => {
  const { resolver, server } = await asked(t)
  assert.deepEqual(await resolver.resolve4('WWW.test'), ['192.0.2.1'])
  assert.deepEqual(await resolver.resolve6('www.test'), ['2606:4700::1'])
  assert.deepEqual(await resolver.resolveTxt('www.test'), [['hello']])
  assert.deepEqual(await resolver.resolveMx('mail.test'), [{ type: 'MX', priority: 10, exchange: 'mx.test' }])
  await assert.rejects(resolver.resolve4('nobody.test'), { code: 'ENOTFOUND' })
  await assert.rejects(resolver.resolveMx('www.test'), { code: 'ENODATA' })
  assert.deepEqual(
    server.asked.map(({ type }) => type),
    [1, 28, 16, 15, 1, 15],
  )
  assert.ok(new Set(server.asked.map(({ id }) => id)).size > 4, 'ids are random')
  assert.ok(new Set(server.asked.map(({ port }) => port)).size > 4, 'ports are random')
})

test('the first question goes with what asks for the stream, once, and over each stream that is tried', async (t) => {
  /** Bytes that wait to be sent on streams that nobody took yet. */
  const early: number[] = []
  const { dns, resolver, server, rig } = await asked(t, {
    fault: (writeEarly) => {
      const stream = rig.session.openStream(DNS_STREAM)
      writeEarly(stream)
      early.push(stream.send.buffered)
      stream.reset(SessionCode.none)
      return undefined
    },
  })
  assert.deepEqual(await resolver.resolve4('www.test'), ['192.0.2.1'])
  assert.ok((early[0] ?? 0) > 20, `${early[0]}`)
  assert.equal(server.asked.length, 1)
  dns.moved()
  // Nothing is asked that has its answer.
  assert.deepEqual(await resolver.resolve6('www.test'), ['2606:4700::1'])
  assert.equal(server.asked.length, 2)
})

test('a question that went with a stream that no exit took fails with it', async (t) => {
  const full = new WeftError({ code: 'E_EXIT_FULL', cause: 'full', fix: '' })
  const { port, rig } = await asked(t, {
    fault: (writeEarly) => {
      writeEarly(rig.session.openStream(DNS_STREAM))
      return full
    },
  })
  const answer = readAnswer(await byUdp(port, queryFor('www.test', 1, 9, { size: 1232 }))) ?? assert.fail()
  assert.deepEqual(extendedErrorOf(answer), { code: 23, text: 'E_EXIT_FULL: full' })
})

test('an answer that is too long for UDP is cut and comes by TCP, on both ways', async (t) => {
  const { resolver, server, port } = await asked(t)
  assert.deepEqual((await resolver.resolveTxt('big.test')).flat().join(''), BIG)
  assert.deepEqual(
    server.asked.map(({ over }) => over),
    ['udp', 'tcp'],
  )
  const answer = await byUdp(port, queryFor('big.test', 16, 9, { size: 4096 }))
  assert.equal(u16(answer, 2) & 0x200, 0x200)
  assert.ok(answer.length <= 1232)
})

test('what was asked lately is not asked again, and what is asked at once is asked once', async (t) => {
  const { resolver, server } = await asked(t)
  await Promise.all(Array.from({ length: 20 }, () => resolver.resolve4('www.test')))
  await resolver.resolve4('www.test')
  await assert.rejects(resolver.resolve4('nobody.test'))
  await assert.rejects(resolver.resolve4('nobody.test'))
  assert.equal(server.asked.length, 2)
})

test('when other routes are in use, what waits for an answer is asked over them, and so is all after', async (t) => {
  const { dns, resolver, server, streams } = await asked(t)
  await resolver.resolve4('www.test')
  const waiting = assert.rejects(resolver.resolve4('silent.test'))
  await until(() => server.asked.length === 2)
  dns.moved()
  await until(() => server.asked.length === 3)
  assert.equal(streams.length, 2)
  await resolver.resolveTxt('www.test')
  assert.equal(streams.length, 2)
  await waiting
})

test('an answer of an exit is used no more when another one is in use', async (t) => {
  const exits = await Promise.all(
    ['192.0.2.1', '192.0.2.2'].map(async (address) => {
      const server = await NameServer.listen(new Map<string, Known>([['cdn.test', [a(address, 3_600)]]]))
      const rig = exitRig(systemClock, { nameServers: [`127.0.0.1:${server.port}`] })
      t.after(async () => {
        rig.close()
        await server[Symbol.asyncDispose]()
      })
      return { server, open: dnsOver(rig) }
    }),
  )
  let inUse = exits[0]
  const dns = await LocalDns.listen(
    {
      clock: systemClock,
      random: systemRandom,
      open: async (_, take, writeEarly) => (inUse ?? assert.fail()).open(take, writeEarly),
    },
    '127.0.0.1',
    0,
  )
  t.after(() => dns.close())
  const resolver = new Resolver({ timeout: 8_000, tries: 1 })
  resolver.setServers([`127.0.0.1:${dns.endpoint.port}`])
  for (let time = 0; time < 2; time++) assert.deepEqual(await resolver.resolve4('cdn.test'), ['192.0.2.1'])
  inUse = exits[1]
  dns.moved()
  for (let time = 0; time < 2; time++) assert.deepEqual(await resolver.resolve4('cdn.test'), ['192.0.2.2'])
  assert.deepEqual(
    exits.map(({ server }) => server.asked.length),
    [1, 1],
  )
})

test('a name that leads to a private address has no records, and the answer says why', async (t) => {
  const { resolver, port } = await asked(t)
  for (const name of ['inside.test', 'half.test']) await assert.rejects(resolver.resolve4(name), { code: 'ENODATA' })
  const answer = readAnswer(await byUdp(port, queryFor('inside.test', 1, 9, { size: 1232 }))) ?? assert.fail()
  assert.deepEqual([answer.rcode, answer.records, extendedErrorOf(answer)?.code], [0, [], 15])
})

test('a name server that is silent or fails is a SERVFAIL; a second one is asked', async (t) => {
  const { resolver, port } = await asked(t, { deadFirst: true })
  assert.deepEqual(await resolver.resolve4('www.test'), ['192.0.2.1'])
  await assert.rejects(resolver.resolve4('failing.test'), { code: 'ESERVFAIL' })
  const answer = readAnswer(await byUdp(port, queryFor('silent.test', 1, 9, { size: 1232 }))) ?? assert.fail()
  assert.deepEqual([answer.rcode, extendedErrorOf(answer)?.code], [2, 22])
})

test('without a route the answer is a SERVFAIL that says why, at once', async (t) => {
  const { port } = await asked(t, { fault: () => new WeftError({ code: 'E_NO_EXIT', cause: 'No exit.', fix: '' }) })
  const answer = readAnswer(await byUdp(port, queryFor('www.test', 1, 9, { size: 1232 }))) ?? assert.fail()
  assert.equal(answer.rcode, 2)
  assert.deepEqual(extendedErrorOf(answer), { code: 23, text: 'E_NO_EXIT: No exit.' })
})

test('when its stream ends, questions go over another', async (t) => {
  const { resolver, streams, rig } = await asked(t)
  await resolver.resolve4('www.test')
  const [first] = streams
  first?.handler.onReset?.(SessionCode.connectionReset)
  first?.reset(SessionCode.none)
  rig.driver.wake()
  assert.deepEqual(await resolver.resolve6('www.test'), ['2606:4700::1'])
  assert.equal(streams.length, 2)
})

test('over TCP many are asked at once and answered in any order; what is no DNS is cut off', async (t) => {
  const { port } = await asked(t)
  const socket = connect({ host: '127.0.0.1', port })
  t.after(() => socket.destroy())
  const ids: number[] = []
  const framer = new MessageFramer(65_535, (message) => void ids.push(u16(message, 0)))
  socket.on('data', (bytes: Buffer) => framer.push(bytes))
  socket.write(
    Buffer.concat(
      ['silent.test', 'www.test', 'nobody.test', 'big.test'].map((name, id) => framed(queryFor(name, 16, id))),
    ),
  )
  await until(() => ids.length >= 3)
  assert.deepEqual(
    ids.slice(0, 3).toSorted((one, other) => one - other),
    [1, 2, 3],
  )
  const other = connect({ host: '127.0.0.1', port }).on('error', () => {})
  other.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  other.resume()
  await once(other, 'close')
})

test('hostile messages get short answers or none, and the server goes on', async (t) => {
  const { resolver, port } = await asked(t)
  const socket = createSocket('udp4')
  t.after(() => socket.close())
  for (let i = 0; i < 500; i++) socket.send(systemRandom.bytes(i % 100), port, '127.0.0.1')
  assert.deepEqual(await resolver.resolve4('www.test'), ['192.0.2.1'])
})

test('a session has four streams of DNS at an exit, and one that asks too much on one gets SERVFAIL', async (t) => {
  const { rig } = await asked(t)
  const told: string[] = []
  const streams = Array.from({ length: 5 }, (_, index) => {
    const stream = rig.session.openStream(DNS_STREAM)
    stream.handler = {
      onOpened: () => void told.push(`${index} opened`),
      onRefused: (code) => void told.push(`${index} refused ${code}`),
      onReset: (code) => void told.push(`${index} reset ${code}`),
    }
    return stream
  })
  rig.driver.wake()
  await until(() => told.length === 5)
  assert.deepEqual(told, ['0 opened', '1 opened', '2 opened', '3 opened', `4 refused ${SessionCode.limit}`])
  const [first, second] = streams
  const rcodes: number[] = []
  const framer = new MessageFramer(65_535, (message) => void rcodes.push(u16(message, 2) & 15))
  if (first !== undefined) first.handler = { onData: (chunk) => void framer.push(chunk) }
  for (let id = 0; id < 100; id++) first?.write(framed(queryFor('silent.test', 1, id)))
  rig.driver.wake()
  await until(() => rcodes.length >= 36)
  assert.deepEqual(new Set(rcodes), new Set([2]))
  second?.write(Uint8Array.of(0xff, 0xff, 0))
  rig.driver.wake()
  await until(() => told.length === 6)
  assert.equal(told[5], `1 reset ${SessionCode.violation}`)
})

test('200 questions at once are all answered, although an exit takes 57 at a time', async (t) => {
  const { resolver } = await asked(t)
  const found = await Promise.all(
    Array.from({ length: 200 }, (_, index) =>
      resolver.resolve4(`n${index}.test`).catch(({ code }: NodeJS.ErrnoException) => code),
    ),
  )
  assert.deepEqual(new Set(found), new Set(['ENOTFOUND']))
})

test('names are answered while other streams of the session have used up its share of memory', async (t) => {
  const { resolver, rig } = await asked(t)
  assert.ok(rig.memory.take(rig.memory.limit - 100_000))
  assert.deepEqual(await resolver.resolve4('www.test'), ['192.0.2.1'])
})

test('answers that a client does not take use no more memory than a few of them, where there is no share for more', async (t) => {
  const { rig, server, resolver } = await asked(t)
  const taken = rig.memory.limit - 250_000
  assert.ok(rig.memory.take(taken))
  const stream = rig.session.openStream(DNS_STREAM)
  const told = { came: 0, isReset: false }
  // As much as the stream's window lets through at first.
  stream.handler = { onData: ({ length }) => (told.came += length), onReset: () => (told.isReset = true) }
  for (let id = 0; told.came < 256 * 1_024 - 5_000; id++) {
    const { came } = told
    for (let at = 0; at < 3; at++) stream.write(framed(queryFor('big.test', 16, id)))
    rig.driver.wake()
    await until(() => told.came > came)
  }
  const before = server.asked.length
  for (let id = 0; id < 60; id++) stream.write(framed(queryFor('big.test', 16, id)))
  rig.driver.wake()
  await until(() => server.asked.length >= before + 6)
  // Until the exit asks no more; and those that ask it later have their answers all the same.
  for (let asks = 0; asks < server.asked.length; await thereAndBack()) asks = server.asked.length
  assert.deepEqual(await resolver.resolve4('www.test'), ['192.0.2.1'])
  assert.ok(rig.memory.used <= taken + 32_768, `${rig.memory.used - taken}`)
  assert.equal(told.isReset, false)
})

test('names are answered on ::1 as well, on another port where that one is taken there', async (t) => {
  const { dns, port } = await asked(t)
  const other = createSocket({ type: 'udp6', ipv6Only: true }).bind(port, '::1')
  await once(other, 'listening')
  const taken = await dns.beginIPv6()
  assert.ok(taken !== undefined && taken !== port)
  await dns.endIPv6()
  other.close()
  await once(other, 'close')
  assert.equal(await dns.beginIPv6(), port)
  const resolver = new Resolver({ timeout: 8_000, tries: 1 })
  resolver.setServers([`[::1]:${port}`])
  assert.deepEqual(await resolver.resolve4('www.test'), ['192.0.2.1'])
  await dns.close()
  await assert.rejects(resolver.resolve4('www.test'), { code: 'ECONNREFUSED' })
})
