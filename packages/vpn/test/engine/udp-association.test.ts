import assert from 'node:assert/strict'
import { type Socket as Datagrams, createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type Socket, connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { WeftError, systemClock } from '@weft/core'
import { SessionCode, type SessionStream } from '@weft/onion'
import { literalLookup } from '../../src/exit/literal-lookup.ts'
import { ProxyServer } from '../../src/engine/proxy-server.ts'
import type { PathSet } from '../../src/engine/path-set.ts'
import type { TakeStream } from '../../src/engine/stream-opener.ts'
import { readSocksDatagram, socksDatagramHeader } from '../../src/proxy/socks-datagram.ts'
import { exitRig, until } from './exit-rig.ts'

const ASSOCIATE = [5, 1, 0, 5, 3, 0, 1, 0, 0, 0, 0]

async function bound(t: TestContext): Promise<Datagrams> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.after(() => socket.close())
  return socket
}

/** A proxy before an exit, and a program with an association. */
async function proxied(t: TestContext, fault?: () => WeftError | undefined, open?: (take: TakeStream) => void) {
  const rig = exitRig(systemClock, { allow: ['127.0.0.1/32:*'] })
  const streams: SessionStream[] = []
  const paths = { wake: () => rig.driver.wake(), forget: () => {}, healthy: true } as unknown as PathSet
  const isolations: (string | undefined)[] = []
  const proxy = new ProxyServer({
    queue: rig.queue,
    clock: systemClock,
    resolve: () => Promise.reject(new Error('nothing is to be looked up')),
    open: (target, isolation, _, take) => {
      const failed = fault?.()
      if (failed !== undefined) return Promise.reject(failed)
      isolations.push(isolation)
      if (open !== undefined) return Promise.resolve(open(take))
      const { promise, resolve } = Promise.withResolvers<undefined>()
      const stream = rig.session.openStream(target)
      streams.push(stream)
      stream.handler = {
        onOpened: () => {
          take(stream, paths)
          resolve(undefined)
        },
      }
      rig.driver.wake()
      return promise
    },
  })
  const port = await proxy.listen('127.0.0.1', 0)
  const connections: Socket[] = []
  t.after(async () => {
    for (const connection of connections) connection.destroy()
    await proxy.close()
    rig.close()
  })
  const associate = async (
    named = 0,
    said: readonly number[] = ASSOCIATE,
  ): Promise<{ connection: Socket; reply: Buffer }> => {
    const connection = connect({ host: '127.0.0.1', port }).on('error', () => {})
    connections.push(connection)
    connection.write(Uint8Array.of(...said, named >> 8, named & 0xff))
    let reply = Buffer.alloc(0)
    connection.on('data', (chunk: Buffer) => (reply = Buffer.concat([reply, chunk])))
    await until(() => reply.length >= 12)
    return { connection, reply: reply.subarray(2) }
  }
  return { rig, proxy, streams, isolations, associate }
}

const relayOf = (reply: Buffer): number => reply.readUInt16BE(8)

const heardBy = (socket: Datagrams): string[] => {
  const heard: string[] = []
  socket.on('message', (bytes) => {
    const read = readSocksDatagram(bytes)
    heard.push(read === undefined ? 'no header' : `${read.host} ${read.port} ${bytes.subarray(read.start).toString()}`)
  })
  return heard
}

const wrapped = (port: number, text: string, host = '127.0.0.1'): Buffer =>
  Buffer.concat([socksDatagramHeader(host, port), Buffer.from(text)])

async function echo(t: TestContext): Promise<number> {
  const socket = await bound(t)
  socket.on('message', (bytes, { port, address }) => socket.send(bytes, port, address))
  return socket.address().port
}

test('a program sends and hears datagrams by its association, which ends with its connection', async (t) => {
  const { proxy, rig, associate } = await proxied(t)
  const target = await echo(t)
  const program = await bound(t)
  const heard = heardBy(program)
  const { connection, reply } = await associate()
  assert.deepEqual([...reply.subarray(0, 8)], [5, 0, 0, 1, 127, 0, 0, 1])
  const name = Buffer.from([0, 0, 0, 3, 9, ...Buffer.from('localhost'), target >> 8, target & 0xff, 0x62])
  program.send(wrapped(target, 'a'), relayOf(reply), '127.0.0.1')
  program.send(name, relayOf(reply), '127.0.0.1')
  await until(() => heard.length === 2)
  assert.deepEqual(heard, [`127.0.0.1 ${target} a`, `127.0.0.1 ${target} b`])
  assert.deepEqual(proxy.counts, { open: 1, opened: 1, failed: 0 })
  connection.end()
  await until(() => proxy.counts.open === 0 && rig.exit.channels === 0)
  // Its port is closed: another may have it.
  const next = createSocket('udp4').bind(relayOf(reply), '127.0.0.1')
  await once(next, 'listening')
  next.close()
})

test('fragments, strangers and what is no SOCKS are dropped; the first port that speaks is the one that is heard', async (t) => {
  const { associate } = await proxied(t)
  const target = await echo(t)
  const [program, stranger] = await Promise.all([bound(t), bound(t)])
  const [heard, overheard] = [heardBy(program), heardBy(stranger)]
  const { reply } = await associate(program.address().port)
  stranger.send(wrapped(target, 'stranger'), relayOf(reply), '127.0.0.1')
  const fragment = wrapped(target, 'fragment')
  fragment[2] = 1
  program.send(fragment, relayOf(reply), '127.0.0.1')
  program.send('hello', relayOf(reply), '127.0.0.1')
  program.send(wrapped(target, 'whole'), relayOf(reply), '127.0.0.1')
  await until(() => heard.length > 0)
  assert.deepEqual([heard, overheard], [[`127.0.0.1 ${target} whole`], []])

  const second = await associate()
  program.send('hello', relayOf(second.reply), '127.0.0.1')
  program.send(wrapped(target, 'first'), relayOf(second.reply), '127.0.0.1')
  await until(() => heard.length === 2)
  stranger.send(wrapped(target, 'stranger'), relayOf(second.reply), '127.0.0.1')
  program.send(wrapped(target, 'again'), relayOf(second.reply), '127.0.0.1')
  await until(() => heard.length === 3)
  assert.deepEqual([heard.slice(1), overheard], [[`127.0.0.1 ${target} first`, `127.0.0.1 ${target} again`], []])
})

test(
  'datagrams from another address than that of the connection are dropped, whatever port they have',
  { skip: process.platform === 'linux' ? false : 'only Linux has all of 127.0.0.0/8' },
  async (t) => {
    const { associate } = await proxied(t)
    const target = await echo(t)
    const program = await bound(t)
    const { port } = program.address()
    const stranger = createSocket('udp4').bind(port, '127.0.0.2')
    await once(stranger, 'listening')
    t.after(() => stranger.close())
    const [heard, overheard] = [heardBy(program), heardBy(stranger)]
    for (const named of [0, port]) {
      const { reply } = await associate(named)
      stranger.send(wrapped(target, 'stranger'), relayOf(reply), '127.0.0.1')
      program.send(wrapped(target, 'own'), relayOf(reply), '127.0.0.1')
      await until(() => heard.length > 0)
      assert.deepEqual([heard.splice(0), overheard], [[`127.0.0.1 ${target} own`], []])
    }
  },
)

test(
  'where no port was named, another user of the machine is not heard, though he speaks first',
  {
    skip:
      process.platform === 'linux' && process.getuid?.() === 0
        ? false
        : 'only root has sockets of others, and only Linux tells',
  },
  async (t) => {
    const { associate } = await proxied(t)
    const target = await echo(t)
    const program = await bound(t)
    const stranger = createSocket({ type: 'udp4', lookup: literalLookup })
    const listening = once(stranger, 'listening')
    // The socket is made within the call, since no name is looked up.
    process.seteuid?.(65_534)
    stranger.bind(0, '127.0.0.1')
    process.seteuid?.(0)
    await listening
    t.after(() => stranger.close())
    const [heard, overheard] = [heardBy(program), heardBy(stranger)]
    const { reply } = await associate()
    stranger.send(wrapped(target, 'stranger'), relayOf(reply), '127.0.0.1')
    await until(() => {
      program.send(wrapped(target, 'own'), relayOf(reply), '127.0.0.1')
      return heard.length > 0 || overheard.length > 0
    })
    assert.deepEqual([new Set(heard), overheard], [new Set([`127.0.0.1 ${target} own`]), []])
  },
)

test('when its channel ends, the next datagram takes another', async (t) => {
  const { streams, rig, associate } = await proxied(t)
  const target = await echo(t)
  const program = await bound(t)
  const heard = heardBy(program)
  const { reply } = await associate()
  program.send(wrapped(target, 'a'), relayOf(reply), '127.0.0.1')
  await until(() => heard.length === 1)
  // As by an exit: what it resets is told to the stream's handler.
  streams[0]?.handler.onReset?.(SessionCode.timedOut)
  program.send(wrapped(target, 'b'), relayOf(reply), '127.0.0.1')
  await until(() => heard.length === 2)
  assert.equal(streams.length, 2)
  assert.ok(rig.exit.channels > 0)
})

test('what a target is refused for is a failure of the proxy, without the target', async (t) => {
  const { proxy, associate } = await proxied(t)
  const program = await bound(t)
  const { reply } = await associate()
  program.send(wrapped(80, 'x', '10.1.2.3'), relayOf(reply), '127.0.0.1')
  await until(() => proxy.failures.length > 0)
  assert.equal(proxy.failures[0]?.code, 'E_TARGET_POLICY')
  assert.ok(!JSON.stringify(proxy.failures).includes('10.1.2.3'))
})

for (const [code, details, expected] of [
  ['E_ROUTE_TIMEOUT', {}, 3],
  ['E_EXIT_FULL', { code: SessionCode.limit }, 1],
] as const)
  test(`without a channel (${code}) the reply is ${expected}, and the reason is kept`, async (t) => {
    const { proxy, associate } = await proxied(t, () => new WeftError({ code, cause: 'none', fix: 'none', details }))
    const { reply } = await associate()
    assert.equal(reply[1], expected)
    assert.equal(proxy.failures[0]?.code, code)
  })

test('user and password choose the routes of an association, as of a connection', async (t) => {
  const { isolations, associate } = await proxied(t)
  await associate(0, [5, 1, 2, 1, 1, 0x61, 1, 0x62, ...ASSOCIATE.slice(3)])
  await associate()
  assert.deepEqual([typeof isolations[0], isolations[1]], ['string', undefined])
})

test('257 associations are one too many; one that ends makes room', async (t) => {
  const stream = {
    channel: { handler: {}, send: () => true },
    handler: {},
    reset: () => {},
  } as unknown as SessionStream
  const paths = { wake: () => {}, forget: () => {}, healthy: true } as unknown as PathSet
  const { proxy, associate } = await proxied(t, undefined, (take) => take(stream, paths))
  const all = []
  for (let i = 0; i < 257; i++) all.push(await associate())
  assert.deepEqual(
    all.map(({ reply }) => reply[1]),
    [...Array.from({ length: 256 }, () => 0), 1],
  )
  assert.deepEqual([proxy.failures[0]?.code, proxy.counts.open], ['E_PROXY_FULL', 256])
  all[0]?.connection.destroy()
  await until(() => proxy.counts.open === 255)
  const { reply } = await associate()
  assert.equal(reply[1], 0)
})
