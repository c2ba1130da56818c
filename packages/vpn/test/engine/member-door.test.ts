import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type Server, type Socket, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { VirtualClock, silentLogger, systemClock, systemRandom } from '@weft/core'
import { SessionCode } from '@weft/onion'
import { FlushQueue } from '../../src/engine/flush-queue.ts'
import { LastHop } from '../../src/engine/last-hop.ts'
import { exitRig, until } from './exit-rig.ts'

const MEMBER = new Uint8Array(32).fill(1)
const target = (member = MEMBER, host = 'overlay') => ({ host, port: 0, protocol: 'service', member }) as const

/** A member that sends back what it gets. */
async function echo(t: TestContext): Promise<{ port: number; sockets: Socket[]; server: Server }> {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {}).pipe(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return { port: (server.address() as { port: number }).port, sockets, server }
}

/** Opens a stream; `said` has what came of it. */
function opener({ session, driver }: Pick<ReturnType<typeof exitRig>, 'session' | 'driver'>) {
  const said: string[] = []
  return {
    said,
    open: (to: Parameters<typeof session.openStream>[0]) => {
      const stream = session.openStream(to)
      stream.handler = {
        onOpened: (address) => void said.push(`opened ${address}`),
        onRefused: (code) => void said.push(`refused ${code}`),
        onReset: (code) => void said.push(`reset ${code}`),
      }
      driver.wake()
      return stream
    },
  }
}

test('a stream to a member carries bytes both ways, also at a relay, which opens none to the outside', async (t) => {
  const { port } = await echo(t)
  const rig = exitRig(systemClock, { isRelay: true })
  t.after(rig.close)
  const { exit, driver } = rig
  exit.members.setMembers([{ key: MEMBER, addresses: [{ host: '127.0.0.1', port }] }])
  const { said, open } = opener(rig)
  const stream = open(target())
  await until(() => said.length === 1)
  assert.deepEqual(said, ['opened 0.0.0.0'])
  assert.deepEqual([exit.members.connections, exit.members.opened], [1, 1])
  const sent = randomBytes(40_000)
  const came: Buffer[] = []
  stream.handler = {
    onData: (chunk) => {
      came.push(Buffer.from(chunk))
      stream.consume(chunk.length)
    },
    onEnd: () => void said.push('end'),
  }
  stream.write(sent)
  stream.end()
  driver.wake()
  await until(() => said.includes('end'))
  assert.ok(Buffer.concat(came).equals(sent))
  await until(() => exit.members.connections === 0)
  said.length = 0
  open({ host: '127.0.0.1', port })
  for (const protocol of ['udp', 'dns', 'ip'] as const) open({ host: '', port: 0, protocol })
  await until(() => said.length === 4)
  assert.deepEqual(new Set(said), new Set([`refused ${SessionCode.notOffered}`]))
})

test('what leads nowhere is refused with its reason; a second address is tried after the first', async (t) => {
  const { port, server } = await echo(t)
  const closed = createServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const { port: dead } = closed.address() as { port: number }
  closed.close()
  const rig = exitRig(systemClock)
  t.after(rig.close)
  const key = (byte: number) => new Uint8Array(32).fill(byte)
  const [second, bare, gone] = [key(2), key(3), key(4)]
  const at = (...ports: number[]) => ports.map((each) => ({ host: '127.0.0.1', port: each }))
  rig.exit.members.setMembers([
    { key: second, addresses: at(dead, port) },
    { key: bare, addresses: [] },
    { key: gone, addresses: at(dead) },
  ])
  const { said, open } = opener(rig)
  for (const [to, want] of [
    [target(), 'refused 4'],
    [target(bare), 'refused 6'],
    [target(gone), 'refused 7'],
    [target(second, 'rpc'), 'refused 13'],
    [target(second), 'opened 0.0.0.0'],
  ] as const) {
    said.length = 0
    open(to)
    await until(() => said.length > 0)
    assert.deepEqual(said, [want])
  }
  assert.equal(rig.exit.members.connections, 1)
  server.close()
})

test('a flood of streams to one member: five in six seconds, 32 together; other members are still called', async (t) => {
  const { port, sockets } = await echo(t)
  const clock = new VirtualClock()
  const rig = exitRig(clock)
  t.after(rig.close)
  const other = new Uint8Array(32).fill(2)
  const addresses = [{ host: '127.0.0.1', port }]
  rig.exit.members.setMembers([
    { key: MEMBER, addresses },
    { key: other, addresses },
  ])
  const { said, open } = opener(rig)
  const count = (what: string): number => said.filter((each) => each.startsWith(what)).length
  const ask = async (times: number, to = MEMBER): Promise<number> => {
    said.length = 0
    for (let at = 0; at < times; at++) open(target(to))
    await until(() => said.length === times)
    assert.equal(count('opened') + count(`refused ${SessionCode.limit}`), times)
    return count('opened')
  }
  // Connections that stand and are not secured: the member keeps 8 places for such of one address.
  assert.equal(await ask(100), 5)
  assert.equal(await ask(1, other), 1)
  const opened: number[] = []
  for (let second = 0; second < 50; second++) {
    await clock.advance(1_000)
    opened.push(await ask(3))
  }
  for (let from = 0; from + 6 <= opened.length; from++)
    assert.ok(opened.slice(from, from + 6).reduce((sum, each) => sum + each, 0) <= 5, opened.join(' '))
  assert.equal(rig.exit.members.connections, 33)
  // None of them ever sent a byte: the sweep ends them as it ends all that carry nothing.
  for (let minute = 0; minute < 17 * 6; minute++) await clock.advance(10_000)
  await until(() => rig.exit.members.connections === 0)
  assert.equal(sockets.length, 33)
})

test('a member is called twice a second, though its connections end at once', async (t) => {
  const { port, sockets } = await echo(t)
  const clock = new VirtualClock()
  const rig = exitRig(clock)
  t.after(rig.close)
  rig.exit.members.setMembers([{ key: MEMBER, addresses: [{ host: '127.0.0.1', port }] }])
  const { said, open } = opener(rig)
  /** One after another, each ended before the next. */
  const callUntilRefused = async (): Promise<number> => {
    for (let made = 0; made < 20; made++) {
      said.length = 0
      const stream = open(target())
      await until(() => said.length === 1)
      if (said[0] === `refused ${SessionCode.limit}`) return made
      stream.reset(SessionCode.none)
      rig.driver.wake()
      await until(() => rig.exit.members.connections === 0)
    }
    return assert.fail('it was never refused')
  }
  assert.equal(await callUntilRefused(), 5)
  for (let second = 0; second < 3; second++) {
    await clock.advance(1_000)
    assert.equal(await callUntilRefused(), 2)
  }
  await until(() => sockets.length === 11)
})

test('one session has 64 connections to members at most, and another one still gets some', async (t) => {
  const { port } = await echo(t)
  const rig = exitRig(systemClock)
  t.after(rig.close)
  const key = (at: number) => new Uint8Array(32).fill(at + 1)
  const addresses = [{ host: '127.0.0.1', port }]
  rig.exit.members.setMembers(Array.from({ length: 100 }, (_, at) => ({ key: key(at), addresses })))
  const { said, open } = opener(rig)
  for (let at = 0; at < 80; at++) open(target(key(at)))
  await until(() => said.length === 80)
  assert.equal(said.filter((each) => each.startsWith('opened')).length, 64)
  const further = rig.join()
  t.after(() => further.driver.close())
  const another = opener(further)
  another.open(target(key(90)))
  await until(() => another.said.length === 1)
  assert.deepEqual(another.said, ['opened 0.0.0.0'])
})

test('workers of one node share what a member lets in', async (t) => {
  const { port } = await echo(t)
  const { service: exit } = new LastHop({
    init: {
      nodeKey: MEMBER,
      roles: { entry: false, relay: true, exit: false },
      exit: { allow: [], deny: [], own: [], nameServers: [], ip: false },
      worker: { index: 1, count: 2, shared: undefined },
    },
    queue: new FlushQueue(() => {}),
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
  })
  const rig = exitRig(systemClock, { exit })
  t.after(rig.close)
  rig.exit.members.setMembers([{ key: MEMBER, addresses: [{ host: '127.0.0.1', port }] }])
  const { said, open } = opener(rig)
  for (let at = 0; at < 10; at++) open(target())
  await until(() => said.length === 10)
  assert.equal(said.filter((each) => each.startsWith('opened')).length, 2)
})
