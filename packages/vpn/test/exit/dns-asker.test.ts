import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { systemClock, systemRandom } from '@weft/core'
import { readAnswer } from '../../src/dns/dns-answer.ts'
import { u16 } from '../../src/dns/dns-message.ts'
import { MessageFramer, framed } from '../../src/dns/message-framer.ts'
import { DnsAsker } from '../../src/exit/dns-asker.ts'
import { type Known, a, answerFrom, onePort, queryFor } from '../dns/name-server.ts'

const TRUTH = new Map<string, Known>([['www.test', [a('192.0.2.1')]]])
const LIE = new Map<string, Known>([
  ['www.test', [a('192.0.2.66')]],
  ['other.test', [a('192.0.2.66')]],
])

/** What is said to a question from the server's port before the answer, as by whoever can send with its address. */
async function asker(
  t: TestContext,
  over: 'udp' | 'tcp',
  before: (query: Buffer) => Uint8Array | undefined,
): Promise<DnsAsker> {
  const { tcp, udp, port } = await onePort()
  const said = (query: Buffer): Uint8Array[] =>
    [before(query), answerFrom(TRUTH, query)].filter((message) => message !== undefined)
  udp.on('message', (query, from) => {
    // Cut, the answer is asked for by TCP.
    const messages = over === 'udp' ? said(query) : [answerFrom(TRUTH, query, 1) ?? assert.fail()]
    for (const message of messages) udp.send(message, from.port, from.address)
  })
  tcp.on('connection', (socket) => {
    const framer = new MessageFramer(65_535, (query) =>
      socket.write(Buffer.concat(said(Buffer.from(query)).map(framed))),
    )
    socket.on('error', () => {}).on('data', (bytes: Buffer) => framer.push(bytes))
  })
  t.after(() => {
    udp.close()
    tcp.close()
  })
  return new DnsAsker({ clock: systemClock, random: systemRandom, servers: [`127.0.0.1:${port}`] })
}

const forged: Readonly<Record<string, (query: Buffer) => Uint8Array | undefined>> = {
  'with another id': (query) => {
    const answer = answerFrom(LIE, query)
    answer?.writeUInt16BE(u16(query, 0) ^ 1)
    return answer
  },
  'to another name': (query) => answerFrom(LIE, queryFor('other.test', 1, u16(query, 0))),
  'to another type': (query) => answerFrom(LIE, queryFor('www.test', 28, u16(query, 0))),
  'that is a question': (query) => query,
  'that is too short': (query) => query.subarray(0, 11),
}

for (const over of ['udp', 'tcp'] as const)
  for (const [what, make] of Object.entries(forged))
    test(`by ${over} an answer ${what} is passed over, and the one that comes behind it is taken`, async (t) => {
      const one = await asker(t, over, make)
      const answer = await one.ask(Uint8Array.from(queryFor('www.test', 1, 0x1234)))
      assert.equal(u16(answer, 0), 0x1234)
      const { records = [] } = readAnswer(answer) ?? {}
      assert.equal(records.length, 1)
      assert.ok(Buffer.from(answer).includes(Uint8Array.of(192, 0, 2, 1)), Buffer.from(answer).toString('hex'))
    })
