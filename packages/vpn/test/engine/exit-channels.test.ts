import assert from 'node:assert/strict'
import { type Socket, createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { VirtualClock, WeftError } from '@weft/core'
import { SessionCode, UDP_CHANNEL } from '@weft/onion'
import { exitRig, until } from './exit-rig.ts'

const MINUTE = 60_000

interface Heard {
  readonly text: string
  readonly port: number
}

/** A UDP server on loopback that answers what it hears, and notes who asked. */
async function echo(t: TestContext): Promise<{ socket: Socket; port: number; heard: Heard[] }> {
  const socket = createSocket('udp4')
  const heard: Heard[] = []
  socket.on('message', (bytes, { port, address }) => {
    heard.push({ text: bytes.toString(), port })
    socket.send(`re ${bytes.toString()}`, port, address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.after(() => socket.close())
  return { socket, port: socket.address().port, heard }
}

type Rig = ReturnType<typeof exitRig>

function open(t: TestContext, options: Parameters<typeof exitRig>[1] = { allow: ['127.0.0.1/32:*'] }) {
  const clock = new VirtualClock()
  const rig = exitRig(clock, options)
  t.after(rig.close)
  const channel = ({ session, driver }: Pick<Rig, 'session' | 'driver'> = rig) => {
    const told: string[] = []
    const stream = session.openStream(UDP_CHANNEL)
    const opened = stream.channel ?? assert.fail()
    stream.handler = {
      onOpened: () => void told.push('opened'),
      onRefused: (code) => void told.push(`refused ${code}`),
      onReset: (code) => void told.push(`reset ${code}`),
    }
    opened.handler = {
      onDatagram: ({ port }, address, bytes) => void told.push(`${address} ${port} ${Buffer.from(bytes).toString()}`),
      onUnreached: ({ host }, code) => void told.push(`${host} unreached ${code}`),
    }
    driver.wake()
    const send = (host: string, port: number, text: string): void => {
      opened.send(host, port, Buffer.from(text))
      driver.wake()
    }
    return { stream, told, send }
  }
  return { clock, rig, channel }
}

test('many targets see one port of the exit, and only whoever was sent something is heard', async (t) => {
  const [a, b, stranger] = await Promise.all([echo(t), echo(t), echo(t)])
  const { told, send } = open(t).channel()
  send('127.0.0.1', a.port, 'one')
  send('localhost', b.port, 'two')
  await until(() => told.length === 3)
  assert.deepEqual(told.toSorted(), [`127.0.0.1 ${a.port} re one`, `127.0.0.1 ${b.port} re two`, 'opened'].toSorted())
  const [port = 0] = a.heard.map((heard) => heard.port)
  assert.deepEqual(
    b.heard.map((heard) => heard.port),
    [port],
  )
  stranger.socket.send('unasked', port, '127.0.0.1')
  b.socket.send('asked', port, '127.0.0.1')
  await until(() => told.length === 4)
  assert.equal(told[3], `127.0.0.1 ${b.port} asked`)
})

test('what no exit may send to is refused, whatever form the address has, and told once', async (t) => {
  const { told, send } = open(t, {}).channel()
  const refused = [
    '10.1.2.3',
    '127.0.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.251',
    '255.255.255.255',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:10.0.0.1',
    '64:ff9b::a00:1',
    'fe80::1',
    'fd00::1',
    'ff02::fb',
    'localhost',
  ]
  for (const host of refused) for (let i = 0; i < 3; i++) send(host, 53, 'x')
  await until(() => told.length === refused.length + 1)
  assert.deepEqual(
    told.slice(1).toSorted(),
    refused.map((host) => `${host} unreached ${SessionCode.policy}`).toSorted(),
  )
})

test('neither multicast nor broadcast is sent, even where a rule allows all addresses', async (t) => {
  const { told, send } = open(t, { allow: ['0.0.0.0/0:*', '[::/0]:*'] }).channel()
  for (const host of ['224.0.0.251', '255.255.255.255', 'ff02::fb', '127.255.255.255']) send(host, 5353, 'x')
  await until(() => told.length === 5)
  for (const line of told.slice(1)) assert.match(line, /unreached 3$/)
})

test('a name is resolved once: what its server says later moves nobody', async (t) => {
  const [first, second] = await Promise.all([echo(t), echo(t)])
  let asked = 0
  const resolver = { resolve: () => Promise.resolve(asked++ === 0 ? '127.0.0.1' : '10.0.0.1') }
  const { clock, channel } = open(t, { allow: ['127.0.0.1/32:*'], resolver })
  const { told, send } = channel()
  send('rebind.test', first.port, 'one')
  await until(() => told.length === 2)
  await clock.advance(MINUTE)
  send('rebind.test', first.port, 'two')
  await until(() => told.length === 3)
  assert.equal(asked, 1)
  send('rebind.test', second.port, 'three')
  await until(() => told.length === 4)
  assert.equal(told[3], `rebind.test unreached ${SessionCode.policy}`)
})

test('a name that is not there, or whose server does not answer, is told', async (t) => {
  const faults = new Map([
    ['nobody.test', 'E_NAME_NOT_FOUND'],
    ['down.test', 'E_NAME_SERVER'],
  ])
  const resolver = {
    resolve: (host: string) => Promise.reject(new WeftError({ code: faults.get(host) ?? '', cause: '', fix: '' })),
  }
  const { told, send } = open(t, { resolver }).channel()
  send('nobody.test', 53, 'x')
  send('down.test', 53, 'x')
  await until(() => told.length === 3)
  assert.deepEqual(told.slice(1), ['nobody.test unreached 4', 'down.test unreached 12'])
})

test('a channel without traffic from inside for five minutes ends, however much comes from outside', async (t) => {
  const server = await echo(t)
  const { clock, rig, channel } = open(t)
  const still = channel()
  const busy = channel()
  still.send('127.0.0.1', server.port, 'x')
  busy.send('127.0.0.1', server.port, 'x')
  await until(() => still.told.length === 2 && busy.told.length === 2)
  for (let minute = 1; minute <= 6; minute++) {
    busy.send('127.0.0.1', server.port, String(minute))
    const outside = server.heard[0]?.port ?? 0
    server.socket.send('from outside', outside, '127.0.0.1')
    await until(() => busy.told.length === 2 + minute || busy.told.includes(`127.0.0.1 ${server.port} re ${minute}`))
    for (let part = 0; part < 6; part++) await clock.advance(MINUTE / 6)
  }
  await until(() => still.told.at(-1) === `reset ${SessionCode.timedOut}`)
  assert.equal(rig.exit.channels, 1)
  assert.ok(!busy.told.some((line) => line.startsWith('reset')))
})

test('a session has 128 channels at most, and one that ends makes room', async (t) => {
  const { rig, channel } = open(t)
  const channels = Array.from({ length: 129 }, () => channel())
  await until(() => channels.every(({ told }) => told.length === 1))
  assert.deepEqual(
    channels.map(({ told }) => told[0]),
    [...Array.from({ length: 128 }, () => 'opened'), `refused ${SessionCode.limit}`],
  )
  channels[0]?.stream.reset(SessionCode.none)
  rig.driver.wake()
  await until(() => rig.exit.channels === 127)
  const { told } = channel()
  await until(() => told.length === 1)
  assert.deepEqual(told, ['opened'])
  rig.session.close(SessionCode.none, '')
  rig.driver.wake()
  await until(() => rig.exit.channels === 0)
})

test('channels by which nothing is sent leave sockets to others, and end after ten seconds', async (t) => {
  const server = await echo(t)
  const { clock, rig, channel } = open(t)
  const sessions = [rig, ...Array.from({ length: 10 }, () => rig.join())]
  t.after(() => {
    for (const { driver } of sessions.slice(1)) driver.close()
  })
  const idle = sessions.slice(1).flatMap((session) => Array.from({ length: 104 }, () => channel(session)))
  await until(() => idle.every(({ told }) => told.length === 1))
  assert.ok(rig.exit.channels > 1_024)
  const busy = channel()
  busy.send('127.0.0.1', server.port, 'x')
  await until(() => busy.told.length === 2)
  assert.deepEqual(busy.told, ['opened', `127.0.0.1 ${server.port} re x`])
  await clock.advance(9_999)
  assert.ok(idle.every(({ told }) => told.length === 1))
  await clock.advance(1)
  await until(() => idle.every(({ told }) => told.at(-1) === `reset ${SessionCode.timedOut}`))
  assert.equal(rig.exit.channels, 1)
})

test('of the sockets a session has an eighth of what is free: eight sessions that take theirs leave as many to a ninth', async (t) => {
  const server = await echo(t)
  const { rig, channel } = open(t)
  const sessions = [rig, ...Array.from({ length: 8 }, () => rig.join())]
  t.after(() => {
    for (const { driver } of sessions.slice(1)) driver.close()
  })
  const sending = async (session: (typeof sessions)[number], count: number): Promise<string[]> => {
    const all = Array.from({ length: count }, () => channel(session))
    await until(() => all.every(({ told }) => told.length === 1))
    const opened = all.filter(({ told }) => told[0] === 'opened')
    for (const { send } of opened) send('127.0.0.1', server.port, 'x')
    await until(() => opened.every(({ told }) => told.length === 2))
    return all.map(({ told }) => told.at(-1) ?? '')
  }
  const served = (told: readonly string[]): number => told.filter((line) => line.endsWith(' re x')).length
  for (const [at, session] of sessions.slice(1).entries()) {
    const told = await sending(session, 128)
    if (at === 0) assert.equal(served(told), 114)
    assert.ok(told.every((line) => line.endsWith(' re x') || line.endsWith(` ${SessionCode.limit}`)))
  }
  assert.equal(served(await sending(rig, 40)), 40)
})
