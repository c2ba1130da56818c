import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, seededRandom } from '@weft/core'
import type { SessionStream } from '@weft/onion'
import { MessageFramer, framed } from '../../src/dns/message-framer.ts'
import { DnsLink } from '../../src/engine/dns-link.ts'
import type { PathSet } from '../../src/engine/path-set.ts'

/** A link to an exit that answers when it is told to. */
function make() {
  const clock = new VirtualClock()
  const came: Uint8Array[] = []
  const framer = new MessageFramer(65_535, (message) => void came.push(message))
  const stream = {
    handler: {} as SessionStream['handler'],
    write: (bytes: Uint8Array) => framer.push(bytes),
    consume: () => {},
    reset: () => {},
  }
  const paths = { healthy: true, wake: () => {}, forget: () => {} } as unknown as PathSet
  const link = new DnsLink({
    clock,
    random: seededRandom(1),
    open: async (_, take) => take(stream as unknown as SessionStream, paths),
  })
  let answered = 0
  /** Answers all that came, and what comes because of that. */
  const answerAll = (): void => {
    for (; answered < came.length; answered++) stream.handler.onData?.(framed(came[answered] as Uint8Array))
  }
  const ask = (): Promise<Uint8Array> => link.ask((id) => Uint8Array.of(id >> 8, id & 255, 1))
  return { clock, link, came, answerAll, ask }
}

test('questions go to an exit no faster than it takes them of one session: what is beyond waits, and is lost by nobody', async () => {
  const { clock, link, came, answerAll, ask } = make()
  const all: Promise<Uint8Array>[] = []
  for (let round = 0; round < 2; round++) {
    for (let at = 0; at < 300; at++) all.push(ask())
    await clock.advance(0)
    answerAll()
  }
  assert.equal(came.length, 500)
  for (let at = 0; at < 40; at++) {
    await clock.advance(25)
    answerAll()
  }
  assert.equal(came.length, 600)
  assert.equal((await Promise.all(all)).length, 600)
  link.close()
})

test('a stream that was asked for before other routes were in use is given up, and what was asked goes over another', async () => {
  const streams: { asked: number; isReset: boolean; handler: SessionStream['handler'] }[] = []
  const taken: (() => void)[] = []
  const paths = { healthy: true, wake: () => {}, forget: () => {} } as unknown as PathSet
  const link = new DnsLink({
    clock: new VirtualClock(),
    random: seededRandom(1),
    open: async (_, take, writeEarly) => {
      const stream = {
        handler: {} as SessionStream['handler'],
        asked: 0,
        isReset: false,
        write: () => ++stream.asked > 0,
        consume: () => {},
        reset: () => void (stream.isReset = true),
      }
      streams.push(stream)
      writeEarly(stream as unknown as SessionStream)
      const { promise, resolve } = Promise.withResolvers<undefined>()
      taken.push(() => {
        take(stream as unknown as SessionStream, paths)
        resolve(undefined)
      })
      return promise
    },
  })
  const answer = link.ask((id) => Uint8Array.of(id >> 8, id & 255, 1))
  link.moved()
  taken[0]?.()
  await new Promise((again) => setImmediate(again))
  assert.deepEqual(
    streams.map(({ asked, isReset }) => [asked, isReset]),
    [
      [1, true],
      [1, false],
    ],
  )
  taken[1]?.()
  link.close()
  await assert.rejects(answer, { code: 'E_DNS_TIMEOUT' })
})

test('what could not be asked over routes that are no longer in use is asked over those that are', async () => {
  const fails: ((error: Error) => void)[] = []
  let early = 0
  const link = new DnsLink({
    clock: new VirtualClock(),
    random: seededRandom(1),
    open: (_, __, writeEarly) => {
      writeEarly({ write: () => ++early > 0 } as unknown as SessionStream)
      return new Promise((_resolve, reject) => fails.push(reject))
    },
  })
  let failed = false
  const answer = link.ask((id) => Uint8Array.of(id >> 8, id & 255, 1)).catch(() => (failed = true))
  link.moved()
  fails[0]?.(new Error('its exit is full'))
  await new Promise((again) => setImmediate(again))
  assert.deepEqual([fails.length, early, failed], [2, 2, false])
  // Of those in use it is the answer.
  fails[1]?.(new Error('its exit is full'))
  await answer
  assert.equal(failed, true)
})

test('names are not asked over routes that do not meet what is asked of them any more', async () => {
  const clock = new VirtualClock()
  const came: number[] = []
  const all = [0, 1].map((at) => ({
    stream: { handler: {}, write: () => came.push(at), consume: () => {}, reset: () => {} } as unknown as SessionStream,
    paths: { healthy: true, outdated: false, wake: () => {}, forget: () => {} },
  }))
  const link = new DnsLink({
    clock,
    random: seededRandom(1),
    open: async (_, take) => {
      const { stream, paths } = all[opened++] ?? assert.fail()
      take(stream, paths as unknown as PathSet)
    },
  })
  let opened = 0
  const ask = async (): Promise<void> => {
    link.ask((id) => Uint8Array.of(id >> 8, id & 255, 1)).catch(() => {})
    await clock.advance(0)
  }
  await ask()
  all[0]!.paths.outdated = true
  await ask()
  // What the first has not answered is asked again: it is left.
  assert.deepEqual(came, [0, 1, 1])
  link.close()
})
