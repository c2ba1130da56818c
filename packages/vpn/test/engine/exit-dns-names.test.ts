import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import type { SessionStream } from '@weft/onion'
import { readAnswer } from '../../src/dns/dns-answer.ts'
import { MessageFramer, framed } from '../../src/dns/message-framer.ts'
import { ExitDns } from '../../src/engine/exit-dns.ts'
import type { DnsAsker } from '../../src/exit/dns-asker.ts'
import { SessionShares } from '../../src/exit/session-shares.ts'
import { answerFrom, queryFor, txt } from '../dns/name-server.ts'
import { until } from './exit-rig.ts'

const PTR = 12
const TXT = 16
const SRV = 33
const SECRET = txt('of the operator alone')

/** An exit whose name servers know every name; a client that asks whatever it likes. */
async function ask(name: string, type: number) {
  let asked = 0
  const asker = {
    ask: async (query: Uint8Array) => {
      asked++
      const known = new Map([[name, [{ ...SECRET, type }]]])
      return answerFrom(known, Buffer.from(query)) ?? assert.fail()
    },
  }
  const answers: Uint8Array[] = []
  const framer = new MessageFramer(65_535, (message) => void answers.push(message.slice()))
  const stream = {
    handler: {} as SessionStream['handler'],
    room: 65_536,
    send: { buffered: 0, mayAppend: () => true },
    accept: () => {},
    consume: () => {},
    write: (bytes: Uint8Array) => framer.push(bytes),
  }
  const init = { asker: asker as unknown as DnsAsker, lookups: new SessionShares(8), clock: new VirtualClock() }
  new ExitDns(init).take(stream as unknown as SessionStream, {}, () => {})
  stream.handler.onData?.(framed(queryFor(name, type, 7)))
  await until(() => answers.length > 0)
  const answer = readAnswer(answers[0] as Uint8Array) ?? assert.fail()
  return { asked, rcode: answer.rcode, records: answer.records.length }
}

for (const [name, type] of [
  ['1.0.168.192.in-addr.arpa', PTR],
  ['1.0.0.10.in-addr.arpa', PTR],
  [`1${'.0'.repeat(28)}.0.d.f.ip6.arpa`, PTR],
  ['_ldap._tcp.corp.local', SRV],
  ['vault.internal', TXT],
] as const)
  test(`what the operator's name servers know of ${name} no client hears`, async () => {
    assert.deepEqual(await ask(name, type), { asked: 0, rcode: 3, records: 0 })
  })

test('what they know of others is told', async () => {
  assert.deepEqual(await ask('www.test', TXT), { asked: 1, rcode: 0, records: 1 })
  assert.deepEqual(await ask('9.113.0.203.in-addr.arpa', PTR), { asked: 1, rcode: 0, records: 1 })
})
