import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { type ChannelTarget, type DatagramChannel, SessionCode } from '@weft/onion'
import { ExitChannel } from '../../src/exit/exit-channel.ts'
import { ExitPolicy } from '../../src/exit/exit-policy.ts'
import type { NameResolver } from '../../src/exit/name-resolver.ts'

const ROOM = 100_000

/** A channel whose names are resolved when the test says so. @param turns where it waits to ask for them; without, it asks at once */
function make(turns?: { readonly go: () => void; readonly refuse: () => void }[]) {
  const clock = new VirtualClock()
  const names: PromiseWithResolvers<string>[] = []
  const unreached: [number, number][] = []
  const channel = {
    handler: {},
    unreached: ({ number }: ChannelTarget, code: number) => void unreached.push([number, code]),
    reply: () => true,
  } as unknown as DatagramChannel
  let waiting = 0
  const exit = new ExitChannel({
    channel,
    session: {},
    policy: new ExitPolicy({ clock, allow: ['127.0.0.1/32:*'], deny: [], own: [] }),
    resolver: {
      resolve: () => {
        const name = Promise.withResolvers<string>()
        names.push(name)
        return name.promise
      },
    } as unknown as NameResolver,
    clock,
    ask: (go, refuse) => {
      if (turns === undefined) go()
      else turns.push({ go, refuse })
    },
    takeSocket: () => true,
    giveSocket: () => {},
    takeWaiting: (bytes) => {
      if (waiting + bytes > ROOM) return false
      waiting += bytes
      return true
    },
    giveWaiting: (bytes) => (waiting -= bytes),
    wake: () => {},
    onBroken: () => {},
  })
  const send = (number: number, port: number, length: number): void =>
    channel.handler.onDatagram?.({ number, host: `n${number}.test`, port }, '', new Uint8Array(length))
  return { exit, names, unreached, send, waiting: () => waiting }
}

test('sixteen names of a channel are looked up at once, and eight datagrams wait for each, within the room of the exit', async (t) => {
  const server = createSocket('udp4').bind(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  let heard = 0
  const last = Promise.withResolvers<undefined>()
  server.on('message', () => {
    if (++heard === 16 * 8) last.resolve(undefined)
  })
  const { exit, names, unreached, send, waiting } = make()
  const { port } = server.address()
  for (let number = 0; number < 20; number++) for (let i = 0; i < 12; i++) send(number, port, 100)
  assert.equal(names.length, 16)
  assert.deepEqual(
    unreached,
    [16, 17, 18, 19].map((number) => [number, SessionCode.limit]),
    'each told once a second at most',
  )
  assert.equal(waiting(), 16 * 8 * 100)
  for (const { resolve } of names) resolve('127.0.0.1')
  await last.promise
  assert.equal(waiting(), 0)
  exit.close()
})

test('what waits takes no more than the room, and is given back when the channel ends meanwhile', async () => {
  const { exit, names, send, waiting } = make()
  for (let i = 0; i < 5; i++) send(0, 53, 40_000)
  assert.equal(waiting(), 80_000)
  exit.close()
  names[0]?.resolve('127.0.0.1')
  await new Promise((again) => setImmediate(again))
  assert.equal(waiting(), 0)
})

test('a name waits for its turn with its datagrams, or is refused when none comes', async () => {
  const turns: { readonly go: () => void; readonly refuse: () => void }[] = []
  const { exit, names, unreached, send, waiting } = make(turns)
  for (let number = 0; number < 3; number++) send(number, 53, 100)
  assert.deepEqual([turns.length, names.length, waiting()], [3, 0, 300])
  turns[0]?.go()
  assert.equal(names.length, 1)
  turns[1]?.refuse()
  assert.deepEqual([unreached, waiting()], [[[1, SessionCode.limit]], 200])
  exit.close()
  // Its channel is over: nothing is asked for it any more.
  turns[2]?.go()
  names[0]?.reject(new Error('no such name'))
  await new Promise((again) => setImmediate(again))
  assert.deepEqual([names.length, waiting()], [1, 0])
})
