import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type Socket, createServer } from 'node:net'
import { test } from 'node:test'
import { VirtualClock, silentLogger, systemRandom } from '@weft/core'
import { type ExitCircuit, MemoryBudget, Session } from '@weft/onion'
import { ExitService } from '../../src/engine/exit-service.ts'
import { FlushQueue } from '../../src/engine/flush-queue.ts'
import { type SealedSender, SessionDriver } from '../../src/engine/session-driver.ts'
import { ExitPolicy } from '../../src/exit/exit-policy.ts'
import { NameResolver } from '../../src/exit/name-resolver.ts'

const PAYLOAD = 1329
const MINUTE = 60_000

/** Lets sockets of this machine have their say. */
async function until(done: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000
  while (!done()) {
    assert.ok(performance.now() < deadline, 'nothing came of it')
    await new Promise((again) => setImmediate(again))
  }
}

test('a connection that carried nothing for 15 minutes is ended by the exit, one that carries now and then is not', async (t) => {
  const server = createServer()
  const accepted: Socket[] = []
  server.on('connection', (socket) => void accepted.push(socket.on('error', () => {}).resume()))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }

  const clock = new VirtualClock()
  const queue = new FlushQueue(() => {})
  const exit = new ExitService({
    policy: new ExitPolicy({ clock, allow: ['127.0.0.1/32:*'], deny: [], own: [] }),
    resolver: new NameResolver({ clock, servers: [] }),
    memory: new MemoryBudget(12 << 20),
    queue,
    clock,
    random: systemRandom,
    logger: silentLogger,
  })
  // A circuit that hands packets over at once.
  const carry =
    (take: (number: number, payload: Uint8Array) => void): SealedSender['seal'] =>
    (fill) => {
      const payload = new Uint8Array(PAYLOAD)
      take(fill(payload), payload)
      return true
    }
  const circuit: ExitCircuit = {
    payloadLength: PAYLOAD,
    seal: carry((number, payload) => {
      session.receive(number, payload)
      driver.wake()
    }),
    destroy: () => {},
  }
  const session = new Session({
    role: 'client',
    clock,
    random: systemRandom,
    payloadLength: PAYLOAD,
    onWritable: () => driver.wake(),
  })
  const driver = new SessionDriver(
    session,
    { seal: carry((number, payload) => circuit.onPacket?.(number, payload)) },
    queue,
    clock,
  )
  assert.ok(exit.accept(circuit))
  t.after(() => {
    exit.close()
    driver.close()
    for (const socket of accepted) socket.destroy()
    server.close()
  })

  const log: string[] = []
  const open = (name: string) => {
    const stream = session.openStream({ host: '127.0.0.1', port })
    stream.handler = {
      onOpened: () => void log.push(`${name} opened`),
      onReset: (code) => void log.push(`${name} reset ${code}`),
    }
    driver.wake()
    return stream
  }
  open('still')
  const busy = open('busy')
  await until(() => log.length === 2 && accepted.length === 2)
  assert.equal(exit.streams, 2)
  log.length = 0
  for (let minute = 1; minute <= 14; minute++) {
    if (minute % 7 === 0) {
      const before = accepted.reduce((sum, { bytesRead }) => sum + bytesRead, 0)
      busy.write(new Uint8Array(1))
      driver.wake()
      await until(() => accepted.reduce((sum, { bytesRead }) => sum + bytesRead, 0) > before)
    }
    for (let part = 0; part < 6; part++) await clock.advance(MINUTE / 6)
  }
  assert.deepEqual(log, [])
  for (let part = 0; part < 12; part++) await clock.advance(MINUTE / 6)
  assert.deepEqual(log, ['still reset 8'])
  await until(() => exit.streams === 1)
  assert.equal(accepted.length, 2)
})
