import assert from 'node:assert/strict'
import { type Socket, createSocket } from 'node:dgram'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { VirtualClock, isWeftError } from '@weft/core'
import { NameResolver } from '../../src/exit/name-resolver.ts'
import { SessionShares } from '../../src/exit/session-shares.ts'

/** A name server of the test: answers by name, counts the questions. */
const questions: string[] = []
let server: Socket
let address: string

/** A DNS answer (RFC 1035, section 4): the question again, and one record or a code. */
function answer(query: Buffer): Buffer | undefined {
  const labels: string[] = []
  let at = 12
  while (query[at] !== 0) {
    const length = query[at] as number
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  const type = query.readUInt16BE(at + 1)
  const question = query.subarray(12, at + 5)
  const name = labels.join('.')
  questions.push(`${name} ${type}`)
  if (name.startsWith('silent')) return undefined
  const data =
    name === 'four.test' && type === 1
      ? [192, 0, 2, 44]
      : name === 'six.test' && type === 28
        ? [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6]
        : undefined
  const code = name === 'none.test' ? 3 : name === 'broken.test' ? 2 : 0
  const header = Buffer.alloc(12)
  query.copy(header, 0, 0, 2)
  header.writeUInt16BE(0x8180 | code, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(data === undefined ? 0 : 1, 6)
  if (data === undefined) return Buffer.concat([header, question])
  const record = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, data.length, ...data])
  return Buffer.concat([header, question, record])
}

before(async () => {
  server = createSocket('udp4')
  server.on('message', (query, from) => {
    const bytes = answer(query)
    if (bytes !== undefined) server.send(bytes, from.port, from.address)
  })
  server.bind(0, '127.0.0.1')
  await once(server, 'listening')
  address = `127.0.0.1:${server.address().port}`
})
after(() => server.close())

/** A resolver that one session asks. */
function resolver(clock = new VirtualClock(), lookups = new SessionShares(512)) {
  const real = new NameResolver({ clock, servers: [address], lookups })
  const session = {}
  return { resolve: (host: string) => real.resolve(host, session), close: () => real.close() }
}
const fails = (code: string) => (error: unknown) => isWeftError(error, code)

describe('names at an exit', () => {
  test('A first, then AAAA', async () => {
    assert.equal(await resolver().resolve('four.test'), '192.0.2.44')
    assert.equal(await resolver().resolve('Six.Test.'), '2001:db8::6')
  })

  test('names of one network are not there, and asked of nobody', async () => {
    const asked = questions.length
    for (const name of [
      'printer.local',
      'Vault.Internal.',
      'db.eu.corp',
      'lan',
      'a.home.arpa',
      '1.0.168.192.in-addr.arpa',
    ])
      await assert.rejects(resolver().resolve(name), fails('E_NAME_NOT_FOUND'), name)
    assert.equal(questions.length, asked)
  })

  test('addresses and localhost are asked of nobody', async () => {
    const asked = questions.length
    assert.equal(await resolver().resolve('192.0.2.1'), '192.0.2.1')
    assert.equal(await resolver().resolve('[2001:DB8::1]'), '2001:db8::1')
    assert.equal(await resolver().resolve('a.localhost'), '127.0.0.1')
    assert.equal(questions.length, asked)
  })

  test('an answer is kept for its time to live, and asked for once at a time', async () => {
    const clock = new VirtualClock()
    const one = resolver(clock)
    const count = (): number => questions.filter((question) => question === 'four.test 1').length
    const before = count()
    await Promise.all([one.resolve('four.test'), one.resolve('four.test')])
    await one.resolve('four.test')
    assert.equal(count(), before + 1)
    await clock.advance(61_000)
    await one.resolve('four.test')
    assert.equal(count(), before + 2)
  })

  test('no such name, also when it has only other records', async () => {
    await assert.rejects(resolver().resolve('none.test'), fails('E_NAME_NOT_FOUND'))
    await assert.rejects(resolver().resolve('empty.test'), fails('E_NAME_NOT_FOUND'))
  })

  test('a server that fails is not a name that is missing', async () => {
    await assert.rejects(resolver().resolve('broken.test'), fails('E_NAME_SERVER'))
  })

  test('what is no name is never asked for', async () => {
    const asked = questions.length
    for (const host of ['', '-a.test', 'a..test', 'a b.test', 'ä.test', `${'a'.repeat(64)}.test`, '1.2.3.4.5/6'])
      await assert.rejects(resolver().resolve(host), fails('E_NAME_NOT_FOUND'), host)
    assert.equal(questions.length, asked)
  })

  test('a server that is silent is told of before whoever asked gives up', async () => {
    const clock = new VirtualClock()
    const one = resolver(clock)
    const pending = assert.rejects(one.resolve('silent.late.test'), fails('E_NAME_SERVER'))
    while (!questions.includes('silent.late.test 1')) await new Promise((resolve) => setImmediate(resolve))
    await clock.advance(3_500)
    await pending
    one.close()
  })

  test('a lookup counts until it ends, though nobody waits for it any more; who waits for that of another has none', async () => {
    const clock = new VirtualClock()
    const lookups = new SessionShares(8)
    const [one, other] = [{}, {}]
    const real = new NameResolver({ clock, servers: [address], lookups })
    const first = assert.rejects(real.resolve('silent.counted.test', one), fails('E_NAME_SERVER'))
    const same = assert.rejects(real.resolve('silent.counted.test', one), fails('E_NAME_SERVER'))
    await assert.rejects(real.resolve('four.test', one), fails('E_NAME_LIMIT'))
    assert.equal(await real.resolve('four.test', other), '192.0.2.44')
    assert.equal(await real.resolve('four.test', one), '192.0.2.44', 'what is known takes no lookup')
    await clock.advance(3_500)
    await Promise.all([first, same])
    assert.equal(lookups.used, 1)
    await assert.rejects(real.resolve('six.test', one), fails('E_NAME_LIMIT'))
    real.close()
    while (lookups.used > 0) await new Promise((resolve) => setImmediate(resolve))
    assert.equal(await real.resolve('six.test', one), '2001:db8::6')
  })

  test('close gives up what is under way', async () => {
    const one = resolver()
    const pending = assert.rejects(one.resolve('silent.test'), fails('E_NAME_SERVER'))
    while (!questions.includes('silent.test 1')) await new Promise((resolve) => setImmediate(resolve))
    one.close()
    await pending
  })
})
