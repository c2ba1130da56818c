import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, type Server, Socket, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type Clock, VirtualClock, systemClock } from '@weft/core'
import { SessionCode, type SessionStream } from '@weft/onion'
import { connectTime } from '../../src/engine/connect-time.ts'
import { DialTurns } from '../../src/engine/dial-turns.ts'
import { ExitMeasures } from '../../src/engine/exit-measures.ts'
import { exitRig, until } from './exit-rig.ts'

const LOOPBACK = { allow: ['127.0.0.1/32:*'] }

/** A target; what it has seen of each connection. */
async function target(t: TestContext): Promise<{ readonly server: Server; readonly port: number; seen: string[] }> {
  const seen: string[] = []
  const server = createServer((socket) => {
    let bytes = 0
    socket.on('data', ({ length }) => (bytes += length))
    socket.on('error', () => void seen.push('error'))
    socket.on('end', () => void seen.push(`end after ${bytes}`))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return { server, port: (server.address() as AddressInfo).port, seen }
}

/** Targets of which nothing is ever heard. */
function silent(t: TestContext): void {
  t.mock.method(Socket.prototype, 'connect', function (this: Socket) {
    return this
  })
}

type Rig = ReturnType<typeof exitRig>

/** Asks for a target; `said` has what came of it. */
function ask({ session, driver }: Pick<Rig, 'session' | 'driver'>, host: string, port: number, said: string[]) {
  const stream = session.openStream({ host, port, protocol: 'measure' })
  const us: number[] = []
  stream.handler = {
    onOpened: (address) => void said.push(`opened ${address}`),
    onRefused: (code) => void said.push(`refused ${code}`),
    onReset: (code) => void said.push(`reset ${code}`),
    onData: (chunk) => {
      us.push(...chunk)
      stream.consume(chunk.length)
    },
    onEnd: () => void said.push(`end after ${us.length}`),
  }
  driver.wake()
  return { stream, us: (): number => new DataView(Uint8Array.from(us).buffer).getUint32(0) }
}

test('an exit measures a way by three connections without a byte, and tells address and least time', async (t) => {
  const { port, seen } = await target(t)
  const rig = exitRig(systemClock, LOOPBACK)
  t.after(rig.close)
  const said: string[] = []
  const begun = performance.now()
  const { stream, us } = ask(rig, '127.0.0.1', port, said)
  stream.end()
  await until(() => said.length === 2)
  const elapsed = performance.now() - begun
  assert.deepEqual(said, ['opened 127.0.0.1', 'end after 4'])
  assert.ok(us() > 0 && us() / 1_000 <= elapsed, `${us()} µs of ${elapsed} ms`)
  await until(() => seen.length === 3)
  assert.deepEqual(seen, ['end after 0', 'end after 0', 'end after 0'])
  // Nothing of it stays: neither stream nor place.
  await until(() => rig.session.streams === 0)
  assert.equal(rig.exit.streams, 0)
})

test('what an exit does not connect to it does not measure: by address, and by what a name leads to', async (t) => {
  const asked: string[] = []
  const resolver = {
    resolve: (host: string) => {
      asked.push(host)
      return Promise.resolve(host === 'inside.test' ? '10.0.0.1' : host)
    },
  }
  const rig = exitRig(systemClock, { resolver })
  t.after(rig.close)
  let attempts = 0
  t.mock.method(Socket.prototype, 'connect', function (this: Socket) {
    attempts++
    return this
  })
  const hosts = ['127.0.0.1', '10.0.0.1', '169.254.169.254', '::ffff:10.0.0.1', 'fd00::1', 'inside.test']
  const said: string[] = []
  for (const host of hosts) {
    ask(rig, host, 443, said)
    await until(() => said.length === hosts.indexOf(host) + 1)
  }
  ask(rig, '192.0.2.1', 25, said)
  await until(() => said.length === 7)
  assert.deepEqual(said, Array(7).fill(`refused ${SessionCode.policy}`))
  assert.deepEqual([attempts, asked.length], [0, 7])
})

test('a closed port, a name that is none and a relay answer as they do to OPEN of a connection', async (t) => {
  const { server, port } = await target(t)
  server.close()
  await once(server, 'close')
  const said: string[] = []
  const rig = exitRig(systemClock, LOOPBACK)
  t.after(rig.close)
  ask(rig, '127.0.0.1', port, said)
  await until(() => said.length === 1)
  ask(rig, 'printer.local', port, said)
  await until(() => said.length === 2)
  const relay = exitRig(systemClock, { isRelay: true })
  t.after(relay.close)
  ask(relay, '127.0.0.1', port, said)
  await until(() => said.length === 3)
  assert.deepEqual(said, [
    `refused ${SessionCode.connectionRefused}`,
    `refused ${SessionCode.nameNotFound}`,
    `refused ${SessionCode.notOffered}`,
  ])
})

test('a silent target is answered before the client gives up', async (t) => {
  silent(t)
  const clock = new VirtualClock()
  const rig = exitRig(clock, LOOPBACK)
  t.after(rig.close)
  const said: string[] = []
  ask(rig, '127.0.0.1', 443, said)
  await until(() => rig.exit.measures === 1)
  await clock.advance(3_700)
  assert.deepEqual(said, [])
  await clock.advance(300)
  assert.deepEqual(said, [`refused ${SessionCode.timedOut}`])
})

test('one session measures 8 targets at once, all of them 64; whoever goes away makes room', async (t) => {
  silent(t)
  const clock = new VirtualClock()
  const rig = exitRig(clock, LOOPBACK)
  t.after(rig.close)
  const said: string[] = []
  const streams = Array.from({ length: 8 }, () => ask(rig, '127.0.0.1', 443, said).stream)
  await until(() => rig.exit.measures === 8)
  ask(rig, '127.0.0.1', 443, said)
  await until(() => said.length === 1)
  assert.deepEqual(said, [`refused ${SessionCode.limit}`])
  for (const stream of streams) stream.reset(SessionCode.none)
  rig.driver.wake()
  await until(() => rig.exit.measures === 0)
  said.length = 0
  for (let session = 0; session < 80; session++) {
    const other = rig.join()
    t.after(() => other.driver.close())
    ask(other, '127.0.0.1', 443, said)
  }
  await until(() => said.length === 16)
  assert.equal(rig.exit.measures, 64)
})

test('a client that sends bytes on such a stream has it reset', async (t) => {
  const { port } = await target(t)
  const rig = exitRig(systemClock, LOOPBACK)
  t.after(rig.close)
  const said: string[] = []
  const { stream } = ask(rig, '127.0.0.1', port, said)
  stream.write(new Uint8Array(1))
  rig.driver.wake()
  await until(() => said.some((each) => each.startsWith('reset')))
  assert.equal(said.at(-1), `reset ${SessionCode.violation}`)
})

/** Connections that take as long as they are told, on a virtual clock. */
function timed(t: TestContext, clock: Clock, takes: readonly (number | string)[]): { attempts: number } {
  const counts = { attempts: 0 }
  t.mock.method(Socket.prototype, 'connect', function (this: Socket) {
    const take = takes[counts.attempts++]
    if (typeof take === 'number') clock.after(take, () => void this.emit('connect'))
    else if (take !== undefined)
      clock.after(1, () => void this.emit('error', Object.assign(new Error(), { code: take })))
    return this
  })
  return counts
}

/** What is told of one target. */
async function measured(clock: VirtualClock, turns: Pick<DialTurns, 'take'>): Promise<string[]> {
  const told: string[] = []
  const stream = {
    handler: {},
    target: { host: '192.0.2.1', port: 443, protocol: 'measure' },
    accept: (address: string) => void told.push(address),
    refuse: (code: number) => void told.push(`refused ${code}`),
    write: (bytes: Uint8Array) => void told.push(Buffer.from(bytes).toString('hex')),
    end: () => void told.push('end'),
  } as unknown as SessionStream
  const measures = new ExitMeasures({
    clock,
    policy: { refusal: () => undefined },
    resolver: { resolve: (host: string) => Promise.resolve(host) },
    turns: turns as DialTurns,
  })
  measures.take(stream, {}, () => void told.push('woken'))
  // The name is resolved before any time goes by.
  await clock.advance(0)
  await clock.advance(5_000)
  assert.equal(measures.size, 0)
  return told
}

const at192 = (us: number): string[] => ['192.0.2.1', us.toString(16).padStart(8, '0'), 'end', 'woken']

test('the least of three counts; what takes longer than one before, or fails behind it, changes nothing', async (t) => {
  for (const [takes, us, attempts] of [
    [[30, 20, 25], 20_000, 2 + 1],
    [[30, 40, 10], 30_000, 2],
    [[30, 'ECONNREFUSED'], 30_000, 2],
    [[3_799, 3_799], 3_799_000, 2],
  ] as const) {
    const clock = new VirtualClock()
    const counts = timed(t, clock, takes)
    assert.deepEqual(await measured(clock, new DialTurns(clock)), at192(us), takes.join())
    assert.equal(counts.attempts, attempts, takes.join())
  }
})

test('each connection takes a turn of those that clients have; without another the first one counts', async (t) => {
  const clock = new VirtualClock()
  const counts = timed(t, clock, [30, 20, 10])
  let turns = 0
  const take = (_: object, go: () => void, refuse: () => void): (() => void) => {
    if (++turns < 3) go()
    else refuse()
    return () => {}
  }
  assert.deepEqual(await measured(clock, { take }), at192(20_000))
  assert.deepEqual([turns, counts.attempts], [3, 2])
})

test('a connection that is given up says nothing', async (t) => {
  const clock = new VirtualClock()
  timed(t, clock, [30])
  const said: string[] = []
  const give = connectTime({
    clock,
    address: '192.0.2.1',
    port: 443,
    timeoutMs: 1_000,
    onConnected: () => void said.push('connected'),
    onFailed: (code) => void said.push(`${code}`),
  })
  give()
  await clock.advance(2_000)
  assert.deepEqual(said, [])
})
