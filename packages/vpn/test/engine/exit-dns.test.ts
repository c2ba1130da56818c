import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { DNS_STREAM, SessionCode } from '@weft/onion'
import { RCODE } from '../../src/dns/dns-codes.ts'
import { u16 } from '../../src/dns/dns-message.ts'
import { MessageFramer, framed } from '../../src/dns/message-framer.ts'
import { type Known, NameServer, a, queryFor } from '../dns/name-server.ts'
import { exitRig, until } from './exit-rig.ts'
import { thereAndBack } from './there-and-back.ts'

/** A stream of DNS to an exit, and what comes back. */
async function open(t: TestContext) {
  const server = await NameServer.listen(new Map<string, Known>([['www.test', [a('1.1.1.1')]]]))
  const clock = new VirtualClock()
  const rig = exitRig(clock, { nameServers: [`127.0.0.1:${server.port}`] })
  t.after(() => {
    rig.close()
    return server[Symbol.asyncDispose]()
  })
  const rcodes: number[] = []
  const resets: number[] = []
  const stream = rig.session.openStream(DNS_STREAM)
  const framer = new MessageFramer(65_535, (message) => void rcodes.push(u16(message, 2) & 15))
  let isOpen = false
  stream.handler = {
    onOpened: () => (isOpen = true),
    onReset: (code) => void resets.push(code),
    onData: (chunk) => {
      framer.push(chunk)
      stream.consume(chunk.length)
      rig.driver.wake()
    },
  }
  const write = (...messages: readonly Uint8Array[]): void => {
    for (const message of messages) stream.write(message)
    rig.driver.wake()
  }
  const question = (id = 1): Uint8Array => framed(queryFor('www.test', 1, id))
  rig.driver.wake()
  await until(() => isOpen)
  return { server, clock, rig, rcodes, resets, write, question }
}

/** A message that is a header alone. */
const header = (flags: number): Uint8Array => framed(Uint8Array.of(0, 1, flags, 0, 0, 0, 0, 0, 0, 0, 0, 0))
const REPLY = header(0x80)
const STATUS = header(0x10)

for (const length of [0, 11])
  test(`a message of ${length} bytes ends its stream, and nothing is answered`, async (t) => {
    const { rcodes, resets, write, question } = await open(t)
    write(framed(new Uint8Array(length)), question(), new Uint8Array(1_200))
    await until(() => resets.length > 0)
    assert.deepEqual([resets, rcodes], [[SessionCode.violation], []])
  })

test('a reply is not answered, and a stream of them is ended', async (t) => {
  const { rcodes, resets, write, question } = await open(t)
  write(...Array.from({ length: 8 }, () => REPLY), question())
  await until(() => rcodes.length > 0)
  assert.deepEqual([resets, rcodes], [[], [RCODE.noError]])
  write(REPLY, question())
  await until(() => resets.length > 0)
  assert.deepEqual([resets, rcodes], [[SessionCode.violation], [RCODE.noError]])
})

test('what cannot be asked is answered so a few times', async (t) => {
  const { rcodes, resets, write } = await open(t)
  write(...Array.from({ length: 50 }, () => STATUS))
  await until(() => resets.length > 0)
  assert.deepEqual(resets, [SessionCode.violation])
  assert.ok(rcodes.length <= 8 && rcodes.every((rcode) => rcode === RCODE.notImplemented), `${rcodes.length}`)
})

test('questions of a session are answered at a rate, over all of its streams', async (t) => {
  const { server, clock, rcodes, resets, write, question } = await open(t)
  for (let round = 1; round <= 32; round++) {
    write(...Array.from({ length: 32 }, (_, id) => question(id)))
    await until(() => rcodes.length === 32 * round)
  }
  const { length } = server.asked
  assert.equal(length, 1_024)
  write(...Array.from({ length: 32 }, (_, id) => question(id)))
  await thereAndBack()
  assert.equal(rcodes.length, 1_024)
  await clock.advance(250)
  for (const came of [1_024 + 40, 1_024 + 64]) {
    write(...Array.from({ length: 40 }, (_, id) => question(id)))
    await until(() => rcodes.length >= came)
  }
  await thereAndBack()
  assert.equal(rcodes.length, 1_024 + 64)
  assert.equal(server.asked.length, 1_024 + 64)
  assert.deepEqual([...new Set(rcodes)], [RCODE.noError])
  assert.deepEqual(resets, [])
})

test('an answer for which no memory is free is lost; its stream stands, and later ones come', async (t) => {
  const { server, rig, rcodes, resets, write, question } = await open(t)
  const taken = rig.memory.free - 1_000
  assert.ok(rig.memory.take(taken))
  write(question())
  await until(() => server.asked.length === 1)
  await thereAndBack()
  assert.deepEqual([rcodes, resets], [[], []])
  rig.memory.give(taken)
  write(question())
  await until(() => rcodes.length > 0)
  assert.deepEqual([rcodes, resets], [[RCODE.noError], []])
})
