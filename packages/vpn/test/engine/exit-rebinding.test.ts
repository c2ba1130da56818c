import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { systemClock } from '@weft/core'
import { DNS_STREAM } from '@weft/onion'
import { type DnsAnswer, extendedErrorOf, readAnswer } from '../../src/dns/dns-answer.ts'
import { EDE } from '../../src/dns/dns-codes.ts'
import { MessageFramer, framed } from '../../src/dns/message-framer.ts'
import { type Known, NameServer, a, queryFor } from '../dns/name-server.ts'
import { exitRig, until } from './exit-rig.ts'

const ZONE = new Map<string, Known>([
  ['www.test', [a('192.0.2.1')]],
  ['inside.test', [a('10.0.0.1')]],
  ['six.test', [a('fd00::1')]],
  ['half.test', [a('192.0.2.1'), a('127.0.0.1')]],
])

/** A client that looks at nothing before it believes it. */
async function credulous(t: TestContext) {
  const server = await NameServer.listen(ZONE)
  const rig = exitRig(systemClock, { nameServers: [`127.0.0.1:${server.port}`] })
  t.after(async () => {
    rig.close()
    await server[Symbol.asyncDispose]()
  })
  const stream = rig.session.openStream(DNS_STREAM)
  const came: Uint8Array[] = []
  const framer = new MessageFramer(65_535, (message) => void came.push(message.slice()))
  stream.handler = { onData: (chunk) => void framer.push(chunk) }
  return async (name: string, type: number): Promise<DnsAnswer> => {
    came.length = 0
    stream.write(framed(queryFor(name, type, 9, { size: 1_232 })))
    rig.driver.wake()
    await until(() => came.length === 1)
    return readAnswer(came[0] as Uint8Array) ?? assert.fail()
  }
}

test("an exit tells no client what its own network's names lead to", async (t) => {
  const ask = await credulous(t)
  assert.equal((await ask('www.test', 1)).records.length, 1)
  for (const [name, type] of [
    ['inside.test', 1],
    ['six.test', 28],
    ['half.test', 1],
  ] as const) {
    const answer = await ask(name, type)
    assert.deepEqual([answer.rcode, answer.records, extendedErrorOf(answer)?.code], [0, [], EDE.blocked], name)
  }
})
