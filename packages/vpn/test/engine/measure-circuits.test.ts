import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, WeftError } from '@weft/core'
import fc from 'fast-check'
import { MeasureCircuits } from '../../src/engine/measure-circuits.ts'
import type { PathSet, PathSetEvents } from '../../src/engine/path-set.ts'
import type { RouteMember } from '../../src/route/route-member.ts'
import { makeMember } from '../route/make-member.ts'
import { FakeStream } from './fake-stream.ts'

const TARGET = { host: 'a.test', port: 443 }
const exit = (index: number): RouteMember => makeMember(index, ['exit'])
const us = (ms: number): Uint8Array => {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, ms * 1_000)
  return bytes
}

/** Path sets that get ready when they are told to, and do with a question what they are told to. */
function rig(answer: (stream: FakeStream, clock: VirtualClock) => void = () => {}) {
  const clock = new VirtualClock()
  const sets: { readonly events: PathSetEvents; readonly set: PathSet; ready(): void }[] = []
  const streams: FakeStream[] = []
  const forgotten: unknown[] = []
  let refusal: Error | undefined
  const make = (_: RouteMember, events: PathSetEvents): PathSet => {
    const state = { healthy: false, ready: false, over: false }
    const set = {
      get healthy() {
        return state.healthy
      },
      get ready() {
        return state.ready
      },
      get over() {
        return state.over
      },
      start: () => {},
      openStream: () => {
        if (refusal !== undefined) throw refusal
        const stream = new FakeStream()
        streams.push(stream)
        queueMicrotask(() => answer(stream, clock))
        return stream
      },
      forget: (stream: unknown) => void forgotten.push(stream),
      status: () => [{ rttMs: 40 }],
      destroy: () => {
        if (state.over) return
        state.over = true
        state.healthy = false
        events.onEnd?.(set)
      },
    } as unknown as PathSet
    const ready = (): void => {
      state.ready = true
      state.healthy = true
      events.onReady?.(set)
    }
    sets.push({ events, set, ready })
    return set
  }
  const circuits = new MeasureCircuits({ clock, existing: () => undefined, make })
  const ask = (index = 1, signal = new AbortController().signal) => circuits.measure(exit(index), TARGET, signal)
  return { clock, circuits, sets, streams, forgotten, ask, refuse: (error: Error) => (refusal = error) }
}

/** What is made of an exit's answer that takes `takes` ms. */
async function answered(takes: number, say: (stream: FakeStream) => void) {
  const { clock, ask, sets, streams, forgotten } = rig((stream) => void clock.after(takes, () => say(stream)))
  const way = ask()
  sets[0]?.ready()
  await clock.advance(0)
  await clock.advance(5_000)
  assert.deepEqual(forgotten, streams)
  return { way: await way, ends: streams[0]?.ends }
}

test('an answer is four bytes, however they come', async () => {
  const whole = await answered(100, (stream) => {
    stream.give(us(12.5))
    stream.finish()
  })
  assert.deepEqual(whole, { way: { exitMs: 12.5, clientMs: 40 }, ends: ['end'] })
  const cut = await answered(100, (stream) => {
    for (const byte of us(12.5)) stream.give(Uint8Array.of(byte))
    stream.finish()
  })
  assert.deepEqual(cut.way, whole.way)
})

test('no answer, one that is longer than it took, and any other bytes are none; the stream is reset', async () => {
  for (const [name, say] of [
    ['silence', () => {}],
    ['no end', (stream: FakeStream) => stream.give(us(1))],
    ['refused', (stream: FakeStream) => stream.handler.onRefused?.(3)],
    ['reset', (stream: FakeStream) => stream.handler.onReset?.(1)],
    ['longer than it took', (stream: FakeStream) => (stream.give(us(101)), stream.finish())],
  ] as const) {
    const { way, ends } = await answered(100, say)
    assert.equal(way, undefined, name)
    if (name !== 'longer than it took') assert.deepEqual(ends, ['end', 'reset 0'], name)
  }
  const chunks = fc.array(fc.uint8Array({ maxLength: 6 }), { maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(chunks, fc.boolean(), async (given, isEnded) => {
      const { way } = await answered(3_000, (stream) => {
        for (const chunk of given) stream.give(chunk)
        if (isEnded) stream.finish()
      })
      const all = Buffer.concat(given)
      const isOne = all.length === 4 && isEnded && all.readUInt32BE() <= 3_000_000
      assert.deepEqual(way, isOne ? { exitMs: all.readUInt32BE() / 1_000, clientMs: 40 } : undefined)
    }),
    { numRuns: 300 },
  )
})

test('five circuits of its own at most: one that is idle makes room, and none does while all are asked', async () => {
  const { clock, circuits, sets, ask } = rig((stream, at) => {
    at.after(10, () => {
      stream.give(us(5))
      stream.finish()
    })
  })
  const asked = [1, 2, 3, 4, 5].map((index) => ask(index))
  assert.equal(await ask(6), undefined)
  assert.deepEqual([circuits.size, sets.length], [5, 5])
  for (const each of sets) each.ready()
  await clock.advance(0)
  await clock.advance(20)
  await Promise.all(asked)
  assert.equal(circuits.standing.length, 5)
  void ask(6)
  await clock.advance(0)
  assert.deepEqual([circuits.size, sets.length, circuits.standing.includes(exit(1).id)], [5, 6, false])
})

test('circuits end 30 s behind the last question, and those that do not get ready at once', async () => {
  const { clock, circuits, sets, ask } = rig((stream) => {
    stream.give(us(0))
    stream.finish()
  })
  const first = ask(1)
  sets[0]?.ready()
  await clock.advance(0)
  assert.deepEqual(await first, { exitMs: 0, clientMs: 40 })
  await clock.advance(29_000)
  await ask(1)
  await clock.advance(29_000)
  assert.equal(circuits.size, 1)
  await clock.advance(1_000)
  assert.equal(circuits.size, 0)
  const slow = ask(2)
  await clock.advance(3_500)
  assert.equal(await slow, undefined)
  await clock.advance(0)
  assert.equal(circuits.size, 0)
})

test('a circuit that others are asked over for 10 minutes is preferred no longer', async () => {
  const { clock, circuits, sets, ask } = rig((stream) => {
    stream.give(us(0))
    stream.finish()
  })
  void ask(1)
  sets[0]?.ready()
  await clock.advance(0)
  for (let part = 0; part < 40; part++) {
    await clock.advance(15_000)
    await ask(1)
  }
  assert.deepEqual([circuits.size, circuits.standing], [1, []])
})

test('where no stream or path set can be had, or it is given up, there is no answer, and nothing is thrown', async () => {
  const error = new WeftError({ code: 'E_SESSION_STREAMS', cause: '', fix: '' })
  const full = rig()
  full.refuse(error)
  const way = full.ask()
  full.sets[0]?.ready()
  assert.equal(await way, undefined)
  const none = new MeasureCircuits({
    clock: new VirtualClock(),
    existing: () => undefined,
    make: () => {
      throw error
    },
  })
  assert.equal(await none.measure(exit(1), TARGET, new AbortController().signal), undefined)
  const ended = rig()
  const controller = new AbortController()
  const given = ended.ask(1, controller.signal)
  ended.sets[0]?.ready()
  await ended.clock.advance(0)
  controller.abort()
  assert.equal(await given, undefined)
  ended.circuits.close()
  assert.equal(ended.circuits.size, 0)
})

test('when all is closed while an exit is asked, no timer is left', async () => {
  const { clock, circuits, sets, ask } = rig()
  const controller = new AbortController()
  const given = ask(1, controller.signal)
  sets[0]?.ready()
  await clock.advance(0)
  controller.abort()
  circuits.close()
  assert.equal(await given, undefined)
  assert.equal(clock.nextDue, undefined)
})
