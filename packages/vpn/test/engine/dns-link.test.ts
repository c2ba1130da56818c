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
