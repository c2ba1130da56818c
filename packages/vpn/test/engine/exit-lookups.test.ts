import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { systemClock } from '@weft/core'
import { DNS_STREAM, SessionCode, UDP_CHANNEL } from '@weft/onion'
import { u16 } from '../../src/dns/dns-message.ts'
import { MessageFramer, framed } from '../../src/dns/message-framer.ts'
import { type Known, NameServer, a, queryFor } from '../dns/name-server.ts'
import { exitRig, until } from './exit-rig.ts'

/** More than an exit looks up at once. */
const SILENT = 600
/** Of one session alone. */
const SHARE = 57
const silent = (number: number): string => `silent${number}.test`

/** An exit whose name server says nothing of some names, and where another session knows others. */
async function withNames(t: TestContext) {
  const server = await NameServer.listen(
    new Map<string, Known>([
      ['www.test', [a('10.0.0.1')]],
      ...Array.from({ length: SILENT }, (_, number): [string, Known] => [silent(number), 'silent']),
    ]),
  )
  const rig = exitRig(systemClock, { nameServers: [`127.0.0.1:${server.port}`] })
  const other = rig.join()
  t.after(() => {
    rig.close()
    other.driver.close()
    return server[Symbol.asyncDispose]()
  })
  return { server, rig, other }
}

type Client = Pick<Awaited<ReturnType<typeof withNames>>['rig'], 'session' | 'driver'>

/** Asks an exit for connections: what it answers of each, in that order. */
function connect({ session, driver }: Client, hosts: readonly string[]) {
  const codes: number[] = []
  const streams = hosts.map((host) => {
    const stream = session.openStream({ host, port: 80 })
    stream.handler = { onRefused: (code) => void codes.push(code) }
    return stream
  })
  driver.wake()
  const reset = (): void => {
    for (const stream of streams) stream.reset(SessionCode.none)
    driver.wake()
  }
  return { codes, reset }
}

/** The exit has taken in all that the client sent it. */
async function settled({ session, driver }: Client): Promise<void> {
  const { codes } = connect({ session, driver }, ['10.0.0.1'])
  await until(() => codes.length === 1)
}

test('a session whose names are never answered leaves lookups to others, though it gives them up and asks anew', async (t) => {
  const { rig, other } = await withNames(t)
  for (let number = 0; number < SILENT; number += 100) {
    const { reset } = connect(
      rig,
      Array.from({ length: 100 }, (_, at) => silent(number + at)),
    )
    await settled(rig)
    reset()
    await settled(rig)
  }
  const { codes } = connect(other, ['www.test'])
  await until(() => codes.length === 1)
  // The name was looked up; its address is for nobody.
  assert.deepEqual(codes, [SessionCode.policy])
})

test('names of connections, of targets of datagrams and of questions count together', async (t) => {
  const { rig, other } = await withNames(t)
  const over = connect(
    rig,
    Array.from({ length: SHARE + 5 }, (_, number) => silent(number)),
  )
  await until(() => over.codes.length === 5)
  assert.deepEqual(new Set(over.codes), new Set([SessionCode.limit]))

  const told: string[] = []
  const ask = ({ session, driver }: Client, who: string): void => {
    const channel = session.openStream(UDP_CHANNEL).channel ?? assert.fail()
    channel.handler = { onUnreached: (_, code) => void told.push(`${who}: datagram ${code}`) }
    channel.send('www.test', 53, Buffer.from('x'))
    const stream = session.openStream(DNS_STREAM)
    const framer = new MessageFramer(65_535, (answer) => void told.push(`${who}: rcode ${u16(answer, 2) & 15}`))
    stream.handler = { onData: (chunk) => void framer.push(chunk) }
    stream.write(framed(queryFor('www.test', 1, 1)))
    driver.wake()
  }
  ask(rig, 'one')
  ask(other, 'other')
  await until(() => told.length === 4)
  assert.deepEqual(told.toSorted(), [
    `one: datagram ${SessionCode.limit}`,
    'one: rcode 2',
    `other: datagram ${SessionCode.policy}`,
    'other: rcode 0',
  ])
})
