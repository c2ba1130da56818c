import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { VirtualClock, fromHex, seededRandom, systemRandom, toHex } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import fc from 'fast-check'
import { burstData } from '../../../src/admission/measure/burst-data.ts'
import { BurstResponder } from '../../../src/admission/measure/burst-responder.ts'
import { BurstRound } from '../../../src/admission/measure/burst-round.ts'
import { gaugesOf } from '../../../src/admission/measure/gauges.ts'
import { MAX_BURST, measureBandwidth } from '../../../src/admission/measure/measure-bandwidth.ts'
import type { Rpc } from '../../../src/rpc.ts'
import { BEGIN, codeOf, testKeys } from '../../fixtures.ts'

const [applicant] = testKeys(1) as [SigningKey]

interface Line {
  /** Bytes a ms, to the applicant and from it. */
  readonly to: number
  readonly from: number
  readonly latencyMs: number
  /** When what would arrive at a moment is let through, by whoever holds it back; nothing comes sooner than it can. */
  readonly heldUntil?: (arrival: number) => number
}

/** Calls over a line of its own, on a virtual clock; bytes wait in line each way. */
function over(clock: VirtualClock, line: Line, answer: BurstResponder['answer']) {
  const busy = { to: 0, from: 0 }
  const bytes = { to: 0, from: 0 }
  const send = (
    way: 'to' | 'from',
    size: number,
    signal: AbortSignal | undefined,
    timeoutMs: number,
  ): Promise<void> => {
    bytes[way] += size
    busy[way] = Math.max(busy[way], clock.monotonic()) + (size + 50) / line[way]
    return new Promise((resolve, reject) => {
      const fail = (): void => reject(new Error('aborted'))
      const arrival = busy[way] + line.latencyMs
      const held = way === 'from' ? Math.max(arrival, line.heldUntil?.(arrival) ?? arrival) : arrival
      clock.after(held - clock.monotonic(), resolve)
      clock.after(timeoutMs, fail)
      signal?.addEventListener('abort', fail, { once: true })
    })
  }
  const call = async (
    _: unknown,
    method: string,
    init: unknown,
    { signal, timeoutMs = 5_000 }: { signal?: AbortSignal; timeoutMs?: number } = {},
  ) => {
    assert.equal(method, 'admission.burst')
    const {
      nonce,
      data = new Uint8Array(),
      length = 0,
      seed = new Uint8Array(),
    } = init as { nonce: Uint8Array; data?: Uint8Array; length?: number; seed?: Uint8Array }
    await send('to', data.length, signal, timeoutMs)
    const { data: back = new Uint8Array() } = answer({ nonce, data, length, seed })
    await send('from', back.length, signal, timeoutMs)
    return { data: back }
  }
  return { rpc: { call } as unknown as Pick<Rpc, 'call'>, bytes }
}

async function measure(
  line: Line,
  claimed: number,
  liar?: (answer: BurstResponder['answer']) => BurstResponder['answer'],
) {
  const clock = new VirtualClock(BEGIN)
  const responder = new BurstResponder(clock)
  const nonce = systemRandom.bytes(16)
  responder.expect(nonce)
  const honest: BurstResponder['answer'] = (request) => responder.answer(request)
  const { rpc, bytes } = over(clock, line, liar?.(honest) ?? honest)
  const init = { rpc, applicant: applicant.id, nonce, claimed, clock, random: seededRandom(3) }
  const measured = measureBandwidth(init, new AbortController().signal).then(
    (mbps) => mbps,
    (error: { code: string }) => error.code,
  )
  const begin = clock.monotonic()
  await settled(clock, measured)
  return { measured: await measured, bytes, ms: clock.monotonic() - begin }
}

/** Lets time pass until it is. */
async function settled(clock: VirtualClock, promise: Promise<unknown>): Promise<void> {
  const state = { settled: false }
  void promise.finally(() => void (state.settled = true))
  while (!state.settled) await clock.advance(10)
}

const mbit = (mbps: number): number => mbps * 125

test('a line that has what is claimed shows it, near or far, and is used for no longer than that needs', async () => {
  for (const latencyMs of [0.2, 10, 60]) {
    const { measured, bytes } = await measure({ to: mbit(25), from: mbit(25), latencyMs }, 20)
    assert.equal(measured, 20, `at ${latencyMs} ms`)
    assert.ok(bytes.to < 3_000_000 && bytes.from < 3_000_000, `${bytes.to} and ${bytes.from} bytes at ${latencyMs} ms`)
  }
})

test('a line that is slower than the claim, either way, shows what it has', async () => {
  const slow = await measure({ to: mbit(100), from: mbit(10), latencyMs: 10 }, 50)
  assert.ok(Number(slow.measured) >= 9 && Number(slow.measured) <= 11, String(slow.measured))
  const other = await measure({ to: mbit(10), from: mbit(100), latencyMs: 10 }, 50)
  assert.ok(Number(other.measured) >= 9 && Number(other.measured) <= 11, String(other.measured))
  const hardly = await measure({ to: mbit(0.02), from: mbit(0.02), latencyMs: 10 }, 50)
  assert.equal(hardly.measured, 0)
  assert.ok(hardly.ms < 10_000)
})

test('no claim costs more than a burst each way', async () => {
  const { bytes } = await measure({ to: mbit(300), from: mbit(300), latencyMs: 1 }, 10_000)
  assert.ok(bytes.to <= MAX_BURST && bytes.from <= MAX_BURST)
})

test('who answers without having got what was sent, or sends less than it was asked for, is found out', async () => {
  const fast = { to: mbit(100), from: mbit(100), latencyMs: 1 }
  const guesses = await measure(fast, 50, (honest) => (request) => {
    return request.data.length > 0 ? { data: request.data.slice(-32) } : honest(request)
  })
  assert.equal(guesses.measured, 'E_BURST_FORGED')
  const short = await measure(fast, 50, (honest) => (request) => {
    return request.length > 0 ? { data: new Uint8Array(1) } : honest(request)
  })
  assert.equal(short.measured, 'E_BURST_FORGED')
  const zeros = await measure(fast, 50, (honest) => (request) => {
    return request.length > 0 ? { data: new Uint8Array(request.length) } : honest(request)
  })
  assert.equal(zeros.measured, 'E_BURST_FORGED')
})

test('pieces that are held back and let through together make a line no faster', async () => {
  const claimed = 50
  const together =
    (ms: number) =>
    (arrival: number): number =>
      Math.ceil(arrival / ms) * ms
  // The first of those that are held comes a little before the others, as if no burst began with it.
  const inTwo =
    (ms: number) =>
    (arrival: number): number =>
      Math.ceil(arrival / ms) * ms + (Math.floor(arrival) % 4 === 0 ? 0 : 5)
  for (const heldUntil of [50, 200, 400, 800].flatMap((ms) => [together(ms), inTwo(ms)])) {
    const { measured } = await measure({ to: mbit(100), from: mbit(10), latencyMs: 1, heldUntil }, claimed)
    assert.ok(Number(measured) <= 10 / 0.9, `10 Mbit/s that look like ${measured}`)
    const other = await measure({ to: mbit(10), from: mbit(100), latencyMs: 1, heldUntil }, claimed)
    assert.ok(Number(other.measured) <= 10 / 0.9, `10 Mbit/s to it that look like ${other.measured}`)
  }
})

test('an applicant answers only to whom it applies, one at a time, and for one burst each way', async () => {
  const clock = new VirtualClock(BEGIN)
  const responder = new BurstResponder(clock)
  const [a, b] = [systemRandom.bytes(16), systemRandom.bytes(16)]
  const ask = (nonce: Uint8Array, length: number, data = new Uint8Array()): Promise<string> =>
    codeOf(() => responder.answer({ nonce, data, length, seed: new Uint8Array(length > 0 ? 32 : 0) }))
  assert.equal(await ask(a, 10), 'E_BURST_REFUSED', 'it does not apply')
  const end = responder.expect(a)
  responder.expect(b)
  assert.equal(await ask(a, 10), 'nothing')
  assert.equal(await ask(b, 10), 'E_BURST_BUSY')
  await clock.advance(1_000)
  assert.equal(await ask(b, 10), 'nothing', 'the first is silent')
  assert.equal(await ask(a, 10), 'E_BURST_BUSY')
  assert.equal(await ask(b, 0), 'nothing', 'the end of it')
  assert.equal(await ask(b, 10), 'E_BURST_REFUSED', 'once only')
  await clock.advance(1_000)
  assert.equal(await ask(a, 96 * 1024 + 1), 'E_BURST_REFUSED')
  const noSeed = { nonce: a, data: new Uint8Array(), length: 1, seed: new Uint8Array(31) }
  assert.equal(await codeOf(() => responder.answer(noSeed)), 'E_BURST_REFUSED')
  for (let bytes = 10; bytes + 80_000 <= MAX_BURST; bytes += 80_000) assert.equal(await ask(a, 80_000), 'nothing')
  assert.equal(await ask(a, 80_000), 'E_BURST_REFUSED', 'all of its bytes are used up')
  await clock.advance(9_000)
  assert.equal(await ask(a, 1), 'E_BURST_REFUSED', 'its time is over')
  end()
  assert.equal(await ask(a, 0), 'E_BURST_REFUSED')
})

test('two validators that measure one applicant wait for each other, and each sees all of its line', async () => {
  const clock = new VirtualClock(BEGIN)
  const responder = new BurstResponder(clock)
  const { rpc } = over(clock, { to: mbit(25), from: mbit(25), latencyMs: 5 }, (request) => responder.answer(request))
  const results = [1, 2, 3].map((seed) => {
    const nonce = systemRandom.bytes(16)
    responder.expect(nonce)
    const gauges = gaugesOf({ clock, random: seededRandom(seed), loss: undefined, availability: () => undefined })
    const side = { renewal: false, address: '/ip4/192.0.2.1/tcp/4780' }
    return gauges.bandwidth(rpc, applicant.id, nonce, 20, side, new AbortController().signal)
  })
  const all = Promise.all(results)
  await settled(clock, all)
  assert.deepEqual(await all, [20, 20, 20])
})

test('property: whatever is held back, what shows a claim has three quarters of it, and a line is not found slower than it is', () => {
  const pieces = fc.array(
    fc.record({ pause: fc.nat(40), held: fc.nat(400), bytes: fc.integer({ min: 1, max: 500 }) }),
    { minLength: 1, maxLength: 60 },
  )
  fc.assert(
    fc.property(pieces, fc.double({ min: 0.5, max: 50, noNaN: true }), fc.boolean(), (sent, claimed, isHonest) => {
      const line = 10
      const total = sent.reduce((sum, { bytes }) => sum + bytes, 0)
      const round = new BurstRound(1_000, total / claimed)
      let asked = 1_000
      let crossed = 1_000
      let last = 1_000
      for (const { pause, held, bytes } of sent) {
        if (!isHonest) asked += pause
        crossed = Math.max(crossed, asked) + bytes / line
        last = Math.max(last, isHonest ? crossed : crossed + held)
        round.add(asked, last, bytes)
      }
      const rate = round.rate()
      assert.ok(rate < claimed || line >= 0.75 * claimed * (1 - 1e-9), `${rate}`)
      assert.ok(!isHonest || rate >= line * (1 - 1e-9), `${rate}`)
      assert.ok(round.rate(last + 100) < rate)
    }),
  )
})

test('admission.json: the data of a seed', () => {
  const { burst } = JSON.parse(readFileSync(join(import.meta.dirname, '../../vectors/admission.json'), 'utf8')) as {
    burst: { readonly seed: string; readonly data: string; readonly answer: string }
  }
  const data = burstData(fromHex(burst.seed), burst.data.length / 2)
  assert.equal(toHex(data), burst.data)
  const responder = new BurstResponder(new VirtualClock(BEGIN))
  const nonce = systemRandom.bytes(16)
  responder.expect(nonce)
  const { data: answer } = responder.answer({ nonce, data, length: 0, seed: new Uint8Array() })
  assert.equal(toHex(answer as Uint8Array), burst.answer)
})
