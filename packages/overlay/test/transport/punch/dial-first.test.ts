import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Connection } from '@libp2p/interface'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { dialFirst } from '../../../src/transport/punch/dial-first.ts'

const [first, second] = ['/ip4/192.0.2.1/tcp/1', '/ip4/192.0.2.2/tcp/1'].map((text) => multiaddr(text)) as [
  Multiaddr,
  Multiaddr,
]
const connection = { id: 'made' } as Connection

/** Dials that end as a test says, and their signals. */
function dials(outcome: (address: Multiaddr, signal: AbortSignal) => Promise<Connection>) {
  const signals = new Map<string, AbortSignal>()
  const dial = (address: Multiaddr, signal: AbortSignal): Promise<Connection> => {
    signals.set(address.toString(), signal)
    return outcome(address, signal)
  }
  return { signals, dial }
}

const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))

test('the connection that comes first outlives the time that it was given; the other dial is ended', async () => {
  const time = new AbortController()
  const { signals, dial } = dials(async (address, signal) => (address === second ? connection : untilAborted(signal)))
  assert.equal(await dialFirst([first, second], time.signal, dial), connection)
  assert.equal(signals.get(first.toString())?.aborted, true)
  time.abort()
  assert.equal(signals.get(second.toString())?.aborted, false)
})

test('when the time is over all dials are, and when all fail so does it', async () => {
  const time = new AbortController()
  const { dial } = dials((_, signal) => untilAborted(signal))
  const dialling = dialFirst([first, second], time.signal, dial)
  time.abort()
  await assert.rejects(dialling, AggregateError)
  const refused = dials(() => Promise.reject(new Error('refused')))
  await assert.rejects(dialFirst([first], new AbortController().signal, refused.dial), AggregateError)
})
