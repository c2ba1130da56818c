import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, seededRandom } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import type { ByteStream } from '@weft/overlay'
import fc from 'fast-check'
import { INTERNET } from '../../src/simulation/link-profile.ts'
import { promiseSettler } from '../../src/simulation/promise-settler.ts'
import type { SimulatedConnection } from '../../src/simulation/simulated-connection.ts'
import { SimulatedEndpoint } from '../../src/simulation/simulated-endpoint.ts'
import { SimulatedInternet } from '../../src/simulation/simulated-internet.ts'
import { SimulatedProcess } from '../../src/simulation/simulated-process.ts'
import { Trace } from '../../src/simulation/trace.ts'

/** Two nodes, one connection that the first has dialled, and one stream that it has opened. */
async function fixture(seed = 1) {
  const time = new VirtualClock(0, promiseSettler())
  const random = seededRandom(seed)
  const internet = new SimulatedInternet({ time, profile: { ...INTERNET, loss: 0.05 }, random, trace: new Trace() })
  const endpoints = ['10.0.0.1', '10.0.0.2'].map((address, at) => {
    const process = new SimulatedProcess(`n${at}`, { region: 'europe', address }, time)
    const endpoint = new SimulatedEndpoint({
      id: new SigningKey(random.bytes(32)).id,
      networkId: 'test',
      process,
      port: 2,
    })
    internet.attach(endpoint, `/ip4/${address}/tcp/1`)
    return endpoint
  }) as [SimulatedEndpoint, SimulatedEndpoint]
  const [near, far] = endpoints
  /** Lets time pass until the promise settles. */
  const settle = async <T>(promise: Promise<T>): Promise<T> => {
    const call = { settled: false }
    const end = (): void => void (call.settled = true)
    promise.then(end, end)
    for (let times = 0; !call.settled && times < 10_000; times++) await time.advance(10)
    assert.ok(call.settled, 'it settles')
    return promise
  }
  const dial = (): Promise<SimulatedConnection> => internet.dial(near, '/ip4/10.0.0.2/tcp/1', far.id, undefined)
  let accepted: ByteStream | undefined
  far.offer('rpc', (stream) => (accepted = stream))
  const connection = await settle(dial())
  const stream = await settle(near.openStream(connection, 'rpc'))
  return { time, internet, near, far, connection, stream, accepted: accepted as unknown as ByteStream, settle, dial }
}

async function readAll(stream: ByteStream): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream.incoming) chunks.push(chunk)
  return chunks
}

test('what is written arrives whole and in order, whatever is lost, cut or stalled on the way', async () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 5_000 }) },
    { weight: 1, arbitrary: fc.constantFrom('cut' as const, 'heal' as const, 'stall' as const, 'resume' as const) },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), fc.nat(), async (steps, seed) => {
      const { time, internet, far, stream, accepted, settle } = await fixture(seed)
      const reading = readAll(accepted)
      const written: number[] = []
      for (const action of steps) {
        if (action === 'cut') internet.partition((process) => Number(process === far.process))
        else if (action === 'heal') internet.heal()
        else if (action === 'stall') internet.stall(far.process)
        else if (action === 'resume') internet.resume(far.process)
        else {
          written.push(...action)
          await settle(stream.write(action))
        }
        await time.advance(15)
      }
      internet.heal()
      internet.resume(far.process)
      await settle(stream.closeWrite())
      const chunks = await settle(reading)
      assert.deepEqual(
        chunks.flatMap((chunk) => [...chunk]),
        written,
      )
    }),
    { numRuns: 40 },
  )
})

test('a writer waits while its reader has a window unread', async () => {
  const { time, stream, accepted, settle } = await fixture()
  const chunk = new Uint8Array(512 * 1024)
  await settle(stream.write(chunk))
  await settle(stream.write(chunk))
  let third = false
  const writing = stream.write(chunk).then(() => (third = true))
  await time.advance(10_000)
  assert.equal(third, false)
  const iterator = accepted.incoming[Symbol.asyncIterator]()
  await settle(iterator.next())
  await settle(writing)
  assert.equal(third, true)
})

test('a stream whose connection its opener closes meanwhile is offered to the other side, and breaks off', async () => {
  const { near, far, connection, settle } = await fixture()
  const accepted = Promise.withResolvers<ByteStream>()
  far.offer('shard', accepted.resolve)
  const opening = assert.rejects(near.openStream(connection, 'shard'), { code: 'E_NODE_UNREACHABLE' })
  connection.close(near)
  await settle(opening)
  await assert.rejects(settle(readAll(await settle(accepted.promise))), { code: 'E_STREAM_RESET' })
})

test('a process that is killed resets its connections; of a machine that is gone nobody hears until the silence is noticed', async () => {
  for (const [how, least, most] of [
    ['ended', 8, 100],
    ['gone', 20_000, 50_001],
  ] as const) {
    const { time, internet, near, far, stream } = await fixture()
    const gone = Promise.withResolvers<number>()
    near.onPeer((_, connected) => connected || gone.resolve(time.now()))
    const start = time.now()
    internet.end(far.process, how)
    const reading = assert.rejects(readAll(stream), { code: 'E_STREAM_RESET' })
    await time.advance(60_000)
    const ms = (await gone.promise) - start
    assert.ok(ms >= least && ms < most, `${how}: ${ms} ms`)
    await reading
    await assert.rejects(stream.write(new Uint8Array(1)), { code: 'E_STREAM_RESET' })
    assert.deepEqual(near.peers(), [])
  }
})

test('a dial says why it failed: refused at once, or no answer in time', async () => {
  const { internet, near, far, settle, dial } = await fixture()
  const reason = async (): Promise<string> => {
    const error: unknown = await settle(dial()).catch((thrown: unknown) => thrown)
    return /\(([^)]*)\)/.exec(String(error))?.[1] ?? String(error)
  }
  internet.stall(far.process)
  assert.equal(await reason(), 'no answer within 5000 ms')
  internet.resume(far.process)
  internet.partition((process) => Number(process === far.process))
  assert.equal(await reason(), 'no answer within 5000 ms')
  internet.heal()
  const wrong = internet.dial(near, '/ip4/10.0.0.2/tcp/1', near.id, undefined)
  await assert.rejects(settle(wrong), /another node answers there/)
  internet.end(far.process, 'ended')
  assert.equal(await reason(), 'ECONNREFUSED')
})

test('a stream of a protocol that the other side lacks, or of another network, is refused', async () => {
  const { internet, near, far, connection, settle } = await fixture()
  await assert.rejects(settle(near.openStream(connection, 'shard')), { code: 'E_PROTOCOL_NOT_OFFERED' })
  const { process } = near
  const stranger = new SimulatedEndpoint({ id: SigningKey.generate().id, networkId: 'other', process, port: 2 })
  internet.attach(stranger, undefined)
  const foreign = await settle(internet.dial(stranger, '/ip4/10.0.0.2/tcp/1', far.id, undefined))
  await assert.rejects(settle(stranger.openStream(foreign, 'rpc')), { code: 'E_NETWORK_MISMATCH' })
})
