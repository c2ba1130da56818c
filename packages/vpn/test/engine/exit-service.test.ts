import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type Socket, createServer } from 'node:net'
import { test } from 'node:test'
import { VirtualClock, systemClock } from '@weft/core'
import { SessionCode } from '@weft/onion'
import { exitRig, until } from './exit-rig.ts'
import { thereAndBack } from './there-and-back.ts'

const MINUTE = 60_000

test('a connection that carried nothing for 15 minutes is ended by the exit, one that carries now and then is not', async (t) => {
  const server = createServer()
  const accepted: Socket[] = []
  server.on('connection', (socket) => void accepted.push(socket.on('error', () => {}).resume()))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }

  const clock = new VirtualClock()
  const { exit, session, driver, close } = exitRig(clock, { allow: ['127.0.0.1/32:*'] })
  t.after(() => {
    close()
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

test("a client with 200 connections that reads nothing has its share of the exit's memory, and another is served beside it", async (t) => {
  const chunk = new Uint8Array(65_536)
  const accepted: Socket[] = []
  const server = createServer((socket) => {
    accepted.push(socket.on('error', () => {}).resume())
    const more = (): void => {
      while (socket.write(chunk));
    }
    socket.on('drain', more)
    more()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const { memory, session, driver, join, close } = exitRig(systemClock, { allow: ['127.0.0.1/32:*'] })
  const other = join()
  t.after(() => {
    other.driver.close()
    close()
    for (const socket of accepted) socket.destroy()
    server.close()
  })
  const ends: string[] = []
  let opened = 0
  for (let i = 0; i < 200; i++)
    session.openStream({ host: '127.0.0.1', port }).handler = {
      onOpened: () => void opened++,
      onRefused: (code) => void ends.push(`refused ${code}`),
      onReset: (code) => void ends.push(`reset ${code}`),
    }
  driver.wake()
  await until(() => opened === 200)
  const stream = other.session.openStream({ host: '127.0.0.1', port })
  let came = 0
  stream.handler = {
    onData: ({ length }) => {
      came += length
      stream.consume(length)
      other.driver.wake()
    },
    onReset: (code) => void ends.push(`other reset ${code}`),
  }
  other.driver.wake()
  await until(() => came > 20_000_000)
  assert.ok(memory.used < 6 << 20, `${memory.used}`)
  assert.deepEqual(ends, [])
})

test('connections that are made while no memory is free are not read, and not reset: their bytes come later', async (t) => {
  const accepted: Socket[] = []
  const server = createServer((socket) => {
    accepted.push(socket.on('error', () => {}))
    socket.write(new Uint8Array(65_536))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const { memory, session, driver, close } = exitRig(systemClock, { allow: ['127.0.0.1/32:*'] })
  t.after(() => {
    close()
    for (const socket of accepted) socket.destroy()
    server.close()
  })
  const taken = memory.limit - 40_000
  assert.ok(memory.take(taken))
  const ends: string[] = []
  let [opened, came] = [0, 0]
  for (let i = 0; i < 30; i++) {
    const stream = session.openStream({ host: '127.0.0.1', port })
    stream.handler = {
      onOpened: () => void opened++,
      onRefused: (code) => void ends.push(`refused ${code}`),
      onReset: (code) => void ends.push(`reset ${code}`),
      onData: ({ length }) => {
        came += length
        stream.consume(length)
        driver.wake()
      },
    }
  }
  driver.wake()
  await until(() => opened === 30 && accepted.length === 30)
  // All of it lies with the system, to be read.
  await until(() => accepted.every(({ writableLength }) => writableLength === 0))
  await thereAndBack()
  assert.deepEqual([came, ends, memory.used], [0, [], taken])
  // A write is free, and no share: one after another has its turn, without a packet from the client.
  memory.give(30_000)
  await until(() => came === 30 * 65_536)
  assert.deepEqual(ends, [])
})

test('what a target does not take counts against the memory, and its connection ends with the session, though both ends were said', async (t) => {
  const accepted: Socket[] = []
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    accepted.push(socket.on('error', () => {}))
    socket.end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const { exit, memory, session, driver, close } = exitRig(systemClock, { allow: ['127.0.0.1/32:*'] })
  t.after(() => {
    close()
    for (const socket of accepted) socket.destroy()
    server.close()
  })
  const stream = session.openStream({ host: '127.0.0.1', port })
  let [isOpened, isEnded] = [false, false]
  stream.handler = { onOpened: () => (isOpened = true), onEnd: () => (isEnded = true) }
  driver.wake()
  await until(() => isOpened)
  // Until the system takes no more of it.
  for (let round = 0; memory.used < 200_000; round++) {
    assert.ok(round < 1_000)
    stream.write(new Uint8Array(16_384))
    driver.wake()
    await thereAndBack()
  }
  stream.end()
  driver.wake()
  await until(() => isEnded && stream.send.isDone)
  await thereAndBack()
  assert.equal(exit.streams, 1)
  session.close(0, '')
  driver.wake()
  await until(() => exit.streams === 0)
  assert.equal(memory.used, 0)
})

test('a session that asks for connections without end gets them at a rate; others get theirs beside it', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  const clock = new VirtualClock()
  const rig = exitRig(clock, { allow: ['127.0.0.1/32:*'] })
  const other = rig.join()
  t.after(() => {
    other.driver.close()
    rig.close()
  })
  const ask = ({ session, driver }: Pick<typeof rig, 'session' | 'driver'>, count: number) => {
    const codes: number[] = []
    const streams = Array.from({ length: count }, () => {
      const stream = session.openStream({ host: '127.0.0.1', port })
      stream.handler = { onRefused: (code) => void codes.push(code) }
      return stream
    })
    driver.wake()
    return { codes, streams }
  }
  for (let round = 0; round < 8; round++) {
    const { codes } = ask(rig, 64)
    await until(() => codes.length === 64)
    assert.deepEqual(new Set(codes), new Set([SessionCode.connectionRefused]))
  }
  const { codes, streams } = ask(rig, 70)
  await until(() => codes.length === 6)
  await thereAndBack()
  assert.deepEqual(
    codes,
    Array.from({ length: 6 }, () => SessionCode.limit),
  )
  const beside = ask(other, 5)
  await until(() => beside.codes.length === 5)
  assert.deepEqual(new Set(beside.codes), new Set([SessionCode.connectionRefused]))
  // What was given up takes no turn of the others.
  for (const stream of streams.slice(0, 32)) stream.reset(SessionCode.none)
  rig.driver.wake()
  await thereAndBack()
  await clock.advance(520)
  await until(() => codes.length === 6 + 32)
  assert.deepEqual(new Set(codes.slice(6)), new Set([SessionCode.connectionRefused]))
})
