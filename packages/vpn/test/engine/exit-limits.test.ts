import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { VirtualClock, systemClock } from '@weft/core'
import { type ExitCircuit, SessionCode, type SessionStream } from '@weft/onion'
import { FlushQueue } from '../../src/engine/flush-queue.ts'
import { TargetSockets } from '../../src/engine/target-sockets.ts'
import { exitRig, until } from './exit-rig.ts'

/** Targets of which nothing is ever heard. */
function silent(t: TestContext): void {
  t.mock.method(Socket.prototype, 'connect', function (this: Socket) {
    return this
  })
}

/** Opens a stream; `said` has what came of it. */
function open({ session, driver }: Pick<ReturnType<typeof exitRig>, 'session' | 'driver'>, said: string[]): void {
  session.openStream({ host: '127.0.0.1', port: 80 }).handler = {
    onOpened: () => void said.push('opened'),
    onRefused: (code) => void said.push(`refused ${code}`),
  }
  driver.wake()
}

test('an exit says that a target is silent before the client gives up, after 4.4 s', async (t) => {
  silent(t)
  const clock = new VirtualClock()
  const rig = exitRig(clock, { allow: ['127.0.0.1/32:*'] })
  t.after(rig.close)
  const said: string[] = []
  open(rig, said)
  await until(() => rig.exit.streams === 1)
  await clock.advance(3_000)
  assert.deepEqual(said, [], 'the system sends SYN again after 1 s and 3 s')
  await clock.advance(1_200)
  assert.deepEqual([said, rig.exit.streams], [[`refused ${SessionCode.timedOut}`], 0])
})

test('a last hop has 2,048 sessions at most; one that ends makes room', (t) => {
  const rig = exitRig(systemClock)
  t.after(rig.close)
  const circuit = (): ExitCircuit => ({ payloadLength: 1329, seal: () => true, destroy: () => {} })
  const circuits = Array.from({ length: 2_047 }, circuit)
  for (const each of circuits) assert.ok(rig.exit.accept(each))
  assert.equal(rig.exit.accept(circuit()), false)
  circuits[0]?.onEnd?.(0)
  assert.ok(rig.exit.accept(circuit()))
  assert.equal(rig.exit.accept(circuit()), false)
})

test('a last hop has 2,048 connections at most, those that are being made included', (t) => {
  silent(t)
  const sockets = new TargetSockets(new VirtualClock(), new FlushQueue(() => {}))
  const streams = Array.from({ length: 2_048 }, () => ({ handler: {} }) as SessionStream)
  for (const stream of streams) {
    assert.equal(sockets.isFull, false)
    sockets.dial({
      stream,
      wake: () => {},
      address: '127.0.0.1',
      port: 80,
      timeoutMs: 1,
      told: '',
      onFailed: () => assert.fail(),
    })
  }
  assert.ok(sockets.isFull)
  streams[0]?.handler.onReset?.(SessionCode.none)
  assert.equal(sockets.isFull, false)
  sockets.close()
})

test('what asks for a stream beyond the share of its session is not heard, and once one has ended it is', async (t) => {
  silent(t)
  const rig = exitRig(systemClock, { allow: ['127.0.0.1/32:*'] })
  t.after(rig.close)
  const streams = Array.from({ length: 250 }, () => rig.session.openStream({ host: '127.0.0.1', port: 80 }))
  const heard = (): number => streams.filter(({ isHeard }) => isHeard).length
  rig.driver.wake()
  await until(() => heard() > 0 && rig.session.next() === undefined)
  assert.ok(heard() < 230, `${heard()}`)
  const before = heard()
  for (const stream of streams.slice(0, 100)) stream.reset(SessionCode.none)
  rig.driver.wake()
  await until(() => heard() > before)
})

test('an exit that has as many connections as it takes says so', async (t) => {
  silent(t)
  const isFull = t.mock.getter(TargetSockets.prototype, 'isFull', () => true)
  const rig = exitRig(systemClock, { allow: ['127.0.0.1/32:*'] })
  t.after(rig.close)
  const said: string[] = []
  open(rig, said)
  await until(() => said.length === 1 || rig.exit.streams === 1)
  assert.deepEqual(said, [`refused ${SessionCode.limit}`])
  isFull.mock.restore()
  open(rig, said)
  await until(() => rig.exit.streams === 1)
})
