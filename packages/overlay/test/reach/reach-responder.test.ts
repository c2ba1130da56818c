import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { ReachResponder } from '../../src/reach/reach-responder.ts'
import type { Probe } from '../../src/transport/transport.ts'
import { advance, codeOf } from '../fixtures.ts'

const { id } = SigningKey.generate()
const never = new AbortController().signal

function responder(probe: (address: string) => Promise<Probe>) {
  const clock = new VirtualClock()
  const dialled: string[] = []
  const prober = {
    probe: (address: string) => {
      dialled.push(address)
      return probe(address)
    },
  }
  return { clock, dialled, responder: new ReachResponder({ prober, clock }) }
}

const found = async (): Promise<Probe> => ({ [Symbol.asyncDispose]: async () => {} }) as unknown as Probe

test('a caller is dialled back where it came from, at the port that it says, and nowhere else', async () => {
  const set = responder(found)
  const ask = (address: string, websocket = false) =>
    set.responder.answer({ port: 4780, websocket }, { id, address }, never)
  assert.deepEqual(await ask('/ip4/192.0.2.7/tcp/50000'), { reached: true, host: '192.0.2.7' })
  await ask('/ip6/::ffff:192.0.2.8/tcp/50000', true)
  await ask('/ip6/2001:db8::1/tcp/50000')
  assert.deepEqual(set.dialled, ['/ip4/192.0.2.7/tcp/4780', '/ip4/192.0.2.8/tcp/4780/ws', '/ip6/2001:db8::1/tcp/4780'])
})

test('who came over a relay, or asks for what is no port, is not dialled', async () => {
  const set = responder(found)
  const relayed = { id, address: '/ip4/192.0.2.1/tcp/1/p2p/x/p2p-circuit' }
  assert.equal(
    await codeOf(() => set.responder.answer({ port: 1, websocket: false }, relayed, never)),
    'E_REACH_REFUSED',
  )
  const caller = { id, address: '/ip4/192.0.2.7/tcp/1' }
  for (const port of [0, 65_536])
    assert.equal(await codeOf(() => set.responder.answer({ port, websocket: false }, caller, never)), 'E_REACH_REFUSED')
  assert.deepEqual(set.dialled, [])
})

test('of a dial that failed no more is said than that', async () => {
  const set = responder(() => Promise.reject(new Error('ECONNREFUSED by a secret service')))
  const answer = await set.responder.answer(
    { port: 1, websocket: false },
    { id, address: '/ip4/192.0.2.7/tcp/1' },
    never,
  )
  assert.deepEqual(answer, { reached: false, host: '192.0.2.7' })
})

test('silence ends; few dials run at once, and few are made for one address', async () => {
  const set = responder(() => new Promise(() => {}))
  const ask = (host: string) =>
    set.responder.answer({ port: 1, websocket: false }, { id, address: `/ip4/${host}/tcp/1` }, never)
  const waiting = [1, 2, 3, 4].map((index) => ask(`192.0.2.${index}`))
  assert.equal(await codeOf(() => ask('192.0.2.5')), 'E_REACH_BUSY')
  await advance(set.clock, 6_000)
  for (const answer of await Promise.all(waiting)) assert.equal(answer.reached, false)
  const quick = responder(found)
  const again = () =>
    quick.responder.answer({ port: 1, websocket: false }, { id, address: '/ip4/192.0.2.7/tcp/1' }, never)
  for (let index = 0; index < 8; index++) await again()
  assert.equal(await codeOf(again), 'E_REACH_BUSY')
})
