import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WeftError, concatBytes, equalBytes, seededRandom, silentLogger, systemClock, utf8 } from '@weft/core'
import { FrameParser, MAX_RPC_FRAME, encodeFrame } from '@weft/wire'
import fc from 'fast-check'
import { RpcCaller } from '../../src/transport/rpc-caller.ts'
import { cancelFrame, faultFrame, readRpcFrame, requestFrame, responseFrame } from '../../src/transport/rpc-frame.ts'
import type { RpcFrameFields } from '../../src/transport/rpc-frame-form.ts'
import { RpcResponder } from '../../src/transport/rpc-responder.ts'
import { type MemoryStream, memoryStreamPair } from './memory-stream.ts'

const never = new AbortController().signal
const LIMIT = 64 * 1024

type Answer = (method: string, body: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>

function respond(
  stream: MemoryStream,
  answer: Answer,
  limits: { maxInFlight?: number; maxBacklog?: number } = {},
): { responder: RpcResponder; over: Promise<void> } {
  const responder = new RpcResponder({
    stream,
    clock: systemClock,
    logger: silentLogger,
    maxFrame: () => LIMIT,
    answer,
    ...limits,
  })
  return { responder, over: responder.run() }
}

const echo: Answer = async (_, body) => body

async function* frames(stream: MemoryStream): AsyncGenerator<RpcFrameFields> {
  const parser = new FrameParser(MAX_RPC_FRAME)
  for await (const chunk of stream.incoming) {
    parser.push(chunk)
    for (let frame = parser.takeFrame(); frame !== undefined; frame = parser.takeFrame()) yield readRpcFrame(frame)
  }
}

test('answers reach the calls they belong to, whatever their order', async () => {
  const [near, far] = memoryStreamPair()
  const held: (() => void)[] = []
  const all = Promise.withResolvers<void>()
  respond(far, (_, body) => {
    const { promise, resolve } = Promise.withResolvers<Uint8Array>()
    held.push(() => resolve(body))
    if (held.length === 20) all.resolve()
    return promise
  })
  const caller = new RpcCaller(near, systemClock, silentLogger)
  const calls = Array.from({ length: 20 }, (_, i) => caller.call('map.head', Uint8Array.of(i), never))
  await all.promise
  for (const release of held.toReversed()) release()
  assert.deepEqual(
    (await Promise.all(calls)).map((bytes) => bytes[0]),
    Array.from({ length: 20 }, (_, i) => i),
  )
})

test('a cancelled call tells the other side and its place is free', async () => {
  const [near, far] = memoryStreamPair()
  const cancelled = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  respond(far, (_, __, signal) => {
    begun.resolve()
    return new Promise((_, reject) => {
      signal.addEventListener('abort', () => {
        cancelled.resolve()
        reject(signal.reason as Error)
      })
    })
  })
  const caller = new RpcCaller(near, systemClock, silentLogger)
  const controller = new AbortController()
  const call = caller.call('map.head', new Uint8Array(), controller.signal)
  await begun.promise
  controller.abort()
  await assert.rejects(call, { code: 'E_ABORTED' })
  await cancelled.promise
  assert.equal(caller.inFlight, 0)
})

test('a late answer to a cancelled call is dropped; one to a call never made resets the stream', async () => {
  const [near, far] = memoryStreamPair()
  const caller = new RpcCaller(near, systemClock, silentLogger)
  const controller = new AbortController()
  const call = caller.call('map.head', new Uint8Array(), controller.signal)
  controller.abort()
  await assert.rejects(call, { code: 'E_ABORTED' })
  await far.write(responseFrame(1, utf8('late')))
  const second = caller.call('map.head', new Uint8Array(), never)
  await far.write(responseFrame(2, utf8('good')))
  assert.deepEqual(await second, utf8('good'))
  const third = caller.call('map.head', new Uint8Array(), never)
  await far.write(responseFrame(9, utf8('bad')))
  await assert.rejects(third, { code: 'E_NODE_UNREACHABLE' })
  assert.equal((near.abortedWith as WeftError).code, 'E_RPC_PROTOCOL')
  assert.equal(caller.usable, false)
})

test('faults cross with their words and without control characters', async () => {
  const [near, far] = memoryStreamPair()
  respond(far, async () => {
    throw new WeftError({
      code: 'E_RECORD_CONFLICT',
      cause: 'newer\u001b[31m exists',
      fix: 'read it',
      details: { secret: 1 },
    })
  })
  const caller = new RpcCaller(near, systemClock, silentLogger)
  await assert.rejects(caller.call('record.put', new Uint8Array(), never), (error: WeftError) => {
    assert.equal(error.code, 'E_RECORD_CONFLICT')
    assert.equal(error.cause, 'newer [31m exists')
    assert.equal(error.details.secret, undefined)
    return true
  })
})

test('an unforeseen error of a handler says nothing of itself', async () => {
  const [near, far] = memoryStreamPair()
  respond(far, async () => {
    throw new Error('password is hunter2')
  })
  const caller = new RpcCaller(near, systemClock, silentLogger)
  await assert.rejects(
    caller.call('record.put', new Uint8Array(), never),
    (error: WeftError) => error.code === 'E_INTERNAL' && !error.cause.includes('hunter2'),
  )
})

test('one call too many gets a fault and the others go on', async () => {
  const [near, far] = memoryStreamPair()
  const held: (() => void)[] = []
  respond(far, (_, body) => new Promise((resolve) => held.push(() => resolve(body))), { maxInFlight: 2 })
  const answers = frames(near)
  for (let id = 1; id <= 3; id++) await near.write(requestFrame(id, 'map.head', Uint8Array.of(id)))
  const busy = (await answers.next()).value as RpcFrameFields
  assert.equal(busy.id, 3)
  assert.ok(busy.body.case === 'fault' && busy.body.value.code === 'E_PEER_BUSY' && busy.body.value.retryable)
  for (const release of held) release()
  assert.deepEqual(
    [((await answers.next()).value as RpcFrameFields).id, ((await answers.next()).value as RpcFrameFields).id],
    [1, 2],
  )
})

test('a caller that never reads its answers is cut off at the backlog', async () => {
  const [near, far] = memoryStreamPair(1)
  const { over } = respond(far, async () => new Uint8Array(1_000), { maxBacklog: 5_000 })
  void near
  for (let id = 1; id <= 20; id++) {
    try {
      await near.write(requestFrame(id, 'map.head', new Uint8Array()))
    } catch {
      break
    }
  }
  await over
  assert.equal((far.abortedWith as WeftError).code, 'E_PEER_SLOW')
})

const violations: [string, Uint8Array, string][] = [
  ['an answer on the calling side', responseFrame(1, utf8('x')), 'E_RPC_PROTOCOL'],
  [
    'a fault on the calling side',
    faultFrame(1, { code: 'E_X', cause: '', fix: '', retryable: false }),
    'E_RPC_PROTOCOL',
  ],
  ['a request with id 0', requestFrame(0, 'map.head', new Uint8Array()), 'E_RPC_PROTOCOL'],
  [
    'an id used twice',
    concatBytes([requestFrame(1, 'a', new Uint8Array()), requestFrame(1, 'a', new Uint8Array())]),
    'E_RPC_PROTOCOL',
  ],
  ['a frame over the limit of this caller', requestFrame(1, 'a', new Uint8Array(LIMIT + 1)), 'E_FRAME_TOO_LARGE'],
  ['an announced length over every limit', Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f), 'E_FRAME_TOO_LARGE'],
  ['an overlong length', Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x00), 'E_FRAME_MALFORMED'],
  ['bytes that are no protobuf', encodeFrame(Uint8Array.of(0xff, 0xff, 0xff)), 'E_MESSAGE_MALFORMED'],
  ['an unknown field without a request', encodeFrame(Uint8Array.of(0x78, 0x01)), 'E_MESSAGE_UNKNOWN_FIELD'],
]

for (const [name, bytes, code] of violations) {
  test(`the responder resets the stream on ${name}`, async () => {
    const [near, far] = memoryStreamPair()
    const { over } = respond(far, echo)
    await near.write(bytes)
    await over
    assert.equal((far.abortedWith as WeftError).code, code)
  })
}

test('the responder calls a truncated frame by its name', async () => {
  const [near, far] = memoryStreamPair()
  const { over } = respond(far, echo)
  await near.write(requestFrame(1, 'a', new Uint8Array(50)).subarray(0, 20))
  await near.closeWrite()
  await over
  assert.equal((far.abortedWith as WeftError).code, 'E_FRAME_TRUNCATED')
})

test('a request of a later version gets a fault under its id', async () => {
  const [near, far] = memoryStreamPair()
  respond(far, echo)
  const body = requestFrame(4, 'map.head', new Uint8Array()).subarray(1)
  await near.write(encodeFrame(concatBytes([body, Uint8Array.of(0x78, 0x01)])))
  const { value } = (await frames(near).next()) as { value: RpcFrameFields }
  assert.equal(value.id, 4)
  assert.ok(value.body.case === 'fault' && value.body.value.code === 'E_MESSAGE_UNKNOWN_FIELD')
})

test('any cut of good frames into pieces is read the same', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }),
      async (bodies, cuts) => {
        const [near, far] = memoryStreamPair()
        const seen: Uint8Array[] = []
        const { over } = respond(far, async (_, body) => {
          seen.push(body)
          return body
        })
        const bytes = concatBytes(bodies.map((body, i) => requestFrame(i + 1, 'map.head', body)))
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = cuts[i % cuts.length]!
          await near.write(bytes.subarray(at, at + size))
          at += size
        }
        await near.closeWrite()
        await over
        assert.equal(far.abortedWith, undefined)
        assert.equal(seen.length, bodies.length)
        assert.ok(seen.every((body, i) => equalBytes(body, bodies[i]!)))
      },
    ),
    { numRuns: 60 },
  )
})

test('10,000 mutations of good traffic neither crash nor hold more than one frame', async () => {
  const random = seededRandom(7)
  const int = (below: number): number => new DataView(random.bytes(4).buffer).getUint32(0) % below
  const good = concatBytes([
    requestFrame(1, 'map.head', utf8('a')),
    requestFrame(2, 'record.put', random.bytes(200)),
    cancelFrame(1),
    requestFrame(3, 'no.such.method', new Uint8Array()),
  ])
  const answers = concatBytes([
    responseFrame(1, random.bytes(40)),
    faultFrame(2, { code: 'E_X', cause: 'c', fix: 'f', retryable: true }),
    responseFrame(3, utf8('z')),
  ])
  for (let round = 0; round < 10_000; round++) {
    const source = round % 2 === 0 ? good : answers
    const bytes = source.slice()
    for (let n = 0; n <= int(4); n++) bytes[int(bytes.length)] = int(256)
    const cut = bytes.subarray(0, int(10) === 0 ? int(bytes.length) : bytes.length)
    const [near, far] = memoryStreamPair()
    if (round % 2 === 0) {
      const { over, responder } = respond(far, echo)
      await near.write(cut)
      await near.closeWrite()
      await over
      assert.equal(responder.inFlight, 0)
    } else {
      const caller = new RpcCaller(near, systemClock, silentLogger)
      const calls = [1, 2, 3].map(() =>
        caller.call('map.head', new Uint8Array(), never).catch((error: unknown) => error),
      )
      await far.write(cut)
      await far.closeWrite()
      for (const result of await Promise.all(calls))
        assert.ok(result instanceof Uint8Array || result instanceof WeftError)
      await caller.done
      assert.equal(caller.inFlight, 0)
    }
  }
})
