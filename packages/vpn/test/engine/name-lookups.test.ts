import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Clock, VirtualClock, systemClock, systemRandom } from '@weft/core'
import type { SessionStream } from '@weft/onion'
import { NameLookups } from '../../src/engine/name-lookups.ts'
import { type Known, NameServer, type Zone, a, txt, wireName } from '../dns/name-server.ts'
import { dnsOver, exitRig, until } from './exit-rig.ts'

const ptr = (name: string) => ({ type: 12, ttl: 60, data: wireName(name) })
const ZONE: Zone = new Map<string, Known>([
  ['www.test', [txt('hello'), a('192.0.2.1'), a('2606:4700::1')]],
  ['six.test', [a('2606:4700::6')]],
  ['text.test', [txt('no address')]],
  ['inside.test', [a('10.0.0.1')]],
  ['failing.test', 'failing'],
  ['1.2.0.192.in-addr.arpa', [ptr('www.test')]],
  [`6${'.0'.repeat(23)}.0.0.7.4.6.0.6.2.ip6.arpa`, [ptr('six.test')]],
  ['3.2.0.192.in-addr.arpa', [ptr('not a host')]],
])

/** Lookups by an exit that asks a name server beside it. */
async function lookups(t: TestContext, clock: Clock = systemClock) {
  const server = await NameServer.listen(ZONE)
  const rig = exitRig(systemClock, { nameServers: [`127.0.0.1:${server.port}`] })
  t.after(async () => {
    rig.close()
    await server[Symbol.asyncDispose]()
  })
  const streams: SessionStream[] = []
  const open = dnsOver(rig, streams)
  const routes = { open: (_: unknown, __: unknown, ...request: Parameters<typeof open>) => open(...request) }
  const names = new NameLookups({ clock, random: systemRandom })
  const find = (host: string, isReverse = false): Promise<string> =>
    names.resolve({ host, isReverse, isolation: undefined }, routes)
  return { find, server, streams, names, routes }
}

test('a name leads to its address, IPv4 before IPv6, and an address to its name', async (t) => {
  const { find } = await lookups(t)
  assert.equal(await find('WWW.test'), '192.0.2.1')
  assert.equal(await find('six.test'), '2606:4700::6')
  assert.equal(await find('192.0.2.1', true), 'www.test')
  assert.equal(await find('2606:4700::6', true), 'six.test')
})

test('an address is its own, and names of this machine and of private networks are nobody else’s business', async (t) => {
  const { find, server } = await lookups(t)
  assert.equal(await find('192.0.2.7'), '192.0.2.7')
  assert.equal(await find('2001:db8::7'), '2001:db8::7')
  assert.equal(await find('localhost'), '127.0.0.1')
  await assert.rejects(find('printer.local'), { code: 'E_TARGET_NAME' })
  await assert.rejects(find('10.0.0.1', true), { code: 'E_TARGET_NAME' })
  assert.deepEqual(server.asked, [])
})

test('what leads nowhere, or to where nobody outside leads, has its reason', async (t) => {
  const { find } = await lookups(t)
  await assert.rejects(find('nobody.test'), { code: 'E_TARGET_NAME' })
  await assert.rejects(find('text.test'), { code: 'E_TARGET_NAME' })
  await assert.rejects(find(`${'x'.repeat(64)}.test`), { code: 'E_TARGET_NAME' })
  await assert.rejects(find('a..test'), { code: 'E_TARGET_NAME' })
  await assert.rejects(find('192.0.2.2', true), { code: 'E_TARGET_NAME' })
  await assert.rejects(find('192.0.2.3', true), { code: 'E_TARGET_NAME' })
  await assert.rejects(find('inside.test'), { code: 'E_TARGET_POLICY' })
  await assert.rejects(find('failing.test'), { code: 'E_TARGET_NAME_SERVER' })
})

test('many at once go over one stream of their routes, other routes have another', async (t) => {
  const { find, streams, names, routes } = await lookups(t)
  const all = await Promise.all(Array.from({ length: 100 }, () => find('www.test')))
  assert.deepEqual([...new Set(all)], ['192.0.2.1'])
  assert.equal(streams.length, 1)
  await names.resolve({ host: 'www.test', isReverse: false, isolation: 'other' }, { ...routes })
  assert.equal(streams.length, 2)
})

test('routes of which nothing more is asked carry nothing a second later, and the next question is answered', async (t) => {
  const clock = new VirtualClock()
  const { find, streams } = await lookups(t, clock)
  await find('www.test')
  assert.equal(streams[0]?.state, 'open')
  await clock.advance(1_000)
  await until(() => streams[0]?.state === 'closed')
  await find('www.test')
  assert.equal(streams.length, 2)
})

test('when routes go over another path set the next question does, and those of other routes stay', async (t) => {
  const { find, streams, names, routes } = await lookups(t)
  await find('www.test')
  names.moved({ ...routes })
  await find('www.test')
  assert.equal(streams.length, 1)
  names.moved(routes)
  await find('www.test')
  assert.deepEqual([streams.length, streams[0]?.state], [2, 'closed'])
})
