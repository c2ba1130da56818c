import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SessionCode } from '../../src/session/protocol.ts'
import { GOOD, TARGET, opened, settle } from './opened-stream.ts'
import { exchange, simulatedPath } from './simulated-path.ts'

test('open, data and end in both directions; both sides forget the stream', () => {
  const { path, client, exit, log } = opened()
  client.write(new Uint8Array(10))
  client.end()
  settle(path)
  assert.deepEqual(log, ['exit open example.org:443', 'exit data 10', 'exit end', 'client opened 2001:db8::1'])
  exit().write(new Uint8Array(20))
  exit().end()
  settle(path)
  assert.deepEqual(log.slice(4), ['client data 20', 'client end'])
  assert.equal(client.state, 'closed')
  assert.equal(path.client.session.streams, 0)
  assert.equal(path.exit.session.streams, 0)
  assert.equal(client.write(new Uint8Array(1)), false)
})

test('a stream to a service tells the exit whose and which, and carries bytes both ways', () => {
  const member = new Uint8Array(32).fill(7)
  const told: unknown[] = []
  const path = simulatedPath(7, GOOD, (stream) => {
    told.push(stream.target)
    stream.handler = { onData: (chunk) => void stream.write(chunk.slice()) }
    stream.accept('0.0.0.0')
  })
  const client = path.client.session.openStream({ host: 'overlay', port: 0, protocol: 'service', member })
  let came = 0
  client.handler = { onData: (chunk) => (came += chunk.length) }
  client.write(new Uint8Array(5000))
  settle(path)
  assert.deepEqual(told, [{ host: 'overlay', port: 0, protocol: 'service', member }])
  assert.equal(came, 5000)
})

test('a stream that has a way measured names host and port, and brings the answer', () => {
  const told: unknown[] = []
  const path = simulatedPath(7, GOOD, (stream) => {
    told.push(stream.target)
    stream.accept('192.0.2.9')
    stream.write(Uint8Array.of(0, 0, 48, 212))
    stream.end()
  })
  const came: unknown[] = []
  const client = path.client.session.openStream({ host: 'example.org', port: 443, protocol: 'measure' })
  client.handler = { onOpened: (address) => came.push(address), onData: (chunk) => came.push([...chunk]) }
  client.end()
  settle(path)
  assert.deepEqual(told, [{ host: 'example.org', port: 443, protocol: 'measure' }])
  assert.deepEqual(came, ['192.0.2.9', [0, 0, 48, 212]])
  assert.deepEqual([path.client.session.streams, path.exit.session.streams], [0, 0])
})

test('what a client sends before the target is connected waits, and is handed over then', () => {
  const { path, client, exit, log } = opened(GOOD, false)
  client.write(new Uint8Array(1000))
  settle(path)
  assert.deepEqual(log, ['exit open example.org:443'])
  exit().accept('192.0.2.9')
  settle(path)
  assert.deepEqual(
    log.slice(1).toSorted((a, b) => a.localeCompare(b)),
    ['client opened 192.0.2.9', 'exit data 1000'],
  )
})

test('a refused stream tells its code, and both sides forget it', () => {
  const { path, client, exit, log } = opened(GOOD, false)
  client.write(new Uint8Array(100_000))
  settle(path)
  exit().refuse(SessionCode.connectionRefused)
  settle(path)
  assert.deepEqual(log.slice(1), ['client refused 7'])
  assert.equal(path.client.session.streams, 0)
  assert.equal(path.exit.session.streams, 0)
  assert.equal(path.exit.session.stats.memory + path.client.session.stats.memory, 0)
})

test('close tells the other side code and reason; streams are reset; nothing is sent afterwards', () => {
  const { path, client, log } = opened()
  settle(path)
  path.exit.session.close(SessionCode.stopping, 'the exit stops')
  assert.equal(path.exit.session.state, 'closing')
  settle(path)
  assert.deepEqual(path.ends, ['exit 11 the exit stops', 'client 11 the exit stops'])
  assert.deepEqual(log.slice(-2), ['exit reset 11', 'client reset 11'])
  assert.equal(client.state, 'closed')
  assert.equal(path.client.session.next(), undefined)
  assert.equal(path.client.session.nextTimeout(), undefined)
  assert.throws(() => path.client.session.openStream(TARGET), { code: 'E_SESSION_CLOSED' })
  client.reset(1)
  client.end()
  client.consume(5)
  path.exit.session.close(0, 'again')
  assert.equal(path.ends.length, 2)
})

test('a session whose packets are all lost probes, and ends after 120 s without any packet', () => {
  const { path, client } = opened()
  settle(path)
  path.up.shape = { ...GOOD, drop: 1 }
  path.down.shape = { ...GOOD, drop: 1 }
  const { packetsSent } = path.client.session.stats
  client.write(new Uint8Array(5000))
  settle(path, 100_000)
  assert.equal(path.ends.length, 0)
  const probes = path.client.session.stats.packetsSent - packetsSent
  assert.ok(probes > 10 && probes < 200, `${probes}`)
  settle(path, 100_000)
  assert.deepEqual(
    path.ends.toSorted((a, b) => a.localeCompare(b)),
    ['client 8 nothing came for 120 s', 'exit 8 nothing came for 120 s'],
  )
})

test('after an outage of ten seconds everything comes', () => {
  let sink: ReturnType<typeof exchange> | undefined
  const path = simulatedPath(8, GOOD, (stream) => {
    sink = exchange(stream, 0)
    stream.accept('192.0.2.1')
  })
  exchange(path.client.session.openStream(TARGET), 5e6)
  settle(path, 100)
  path.up.shape = { ...GOOD, drop: 1 }
  path.down.shape = { ...GOOD, drop: 1 }
  settle(path, 10_000)
  path.up.shape = GOOD
  path.down.shape = GOOD
  assert.ok(path.world.run(() => sink?.ended === true, path.world.now + 60_000))
  assert.equal(sink?.isWrong, false)
})

test('an idle session lives on: the client asks for a sign of life', () => {
  const { path } = opened()
  settle(path, 600_000)
  assert.deepEqual(path.ends, [])
  assert.ok(path.client.session.stats.packetsSent < 60)
})

test('a target that OPEN cannot carry is refused', () => {
  const { path } = opened()
  for (const target of [
    { host: '', port: 1 },
    { host: 'a b', port: 1 },
    { host: 'a'.repeat(256), port: 1 },
    { host: 'é', port: 1 },
    { host: 'a', port: 0 },
    { host: 'a', port: 65_536 },
    { host: 'a', port: 0, protocol: 'measure' },
    { host: '', port: 1, protocol: 'measure' },
    { host: 'a', port: 0, protocol: 'service' },
    { host: 'a', port: 0, protocol: 'service', member: new Uint8Array(31) },
    { host: 'A', port: 0, protocol: 'service', member: new Uint8Array(32) },
    { host: '', port: 0, protocol: 'service', member: new Uint8Array(32) },
    { host: 'a'.repeat(33), port: 0, protocol: 'service', member: new Uint8Array(32) },
  ] as const)
    assert.throws(() => path.client.session.openStream(target), { code: 'E_TARGET_INVALID' })
})

test('numbers that are left out are no losses: a transfer on a good path ends with none, and a receiver keeps few ranges', () => {
  let sink: ReturnType<typeof exchange> | undefined
  const path = simulatedPath(21, GOOD, (stream) => {
    stream.accept('192.0.2.1')
    sink = exchange(stream, 8_000_000)
  })
  const numbers: number[] = []
  const { deliver } = path.down
  path.down.deliver = (number, payload) => {
    numbers.push(number)
    deliver(number, payload)
  }
  const back = exchange(path.client.session.openStream(TARGET), 1000)
  assert.ok(path.world.run(() => back.ended && sink?.ended === true, 60_000))
  assert.equal(back.isWrong, false)
  settle(path)
  const gaps = numbers.filter((number, at) => at > 0 && number === numbers[at - 1]! + 2).length
  const steps = numbers.filter((number, at) => at > 0 && number === numbers[at - 1]! + 1).length
  assert.equal(gaps + steps, numbers.length - 1)
  assert.ok(gaps >= Math.floor(numbers.length / 1001) && gaps <= numbers.length / 500, `${gaps} of ${numbers.length}`)
  assert.equal(path.exit.session.stats.packetsLost, 0)
  assert.equal(path.exit.session.stats.inFlight, 0)
  assert.deepEqual(path.ends, [])
})
