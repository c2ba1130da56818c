import assert from 'node:assert/strict'
import { connect as connectTcp, createServer } from 'node:net'
import { once } from 'node:events'
import { test } from 'node:test'
import { Scope, type WeftError, silentLogger, systemClock } from '@weft/core'
import { type DidKey, SigningKey } from '@weft/crypto'
import { MAX_RPC_FRAME } from '@weft/wire'
import { createTransport } from '../../src/transport/create-transport.ts'
import { createHost } from '../../src/transport/host.ts'
import { MAX_PENDING_CONNECTIONS } from '../../src/transport/limits.ts'
import { toPrivateKey } from '../../src/transport/peer-id.ts'
import { TestNetwork } from './test-network.ts'
import { until } from './until.ts'

test('a call reaches the handler with the proven id of its caller', async () => {
  await using network = new TestNetwork()
  const [a, b] = [await network.node(), await network.node()]
  const callers: DidKey[] = []
  b.transport.handle('map.head', async (_, caller) => {
    callers.push(caller.id)
    assert.match(caller.address, /^\/ip4\/127\.0\.0\.1\/tcp\//)
    return {}
  })
  await a.transport.call(b.id, 'map.head', {})
  assert.deepEqual(callers, [a.id])
  assert.deepEqual(a.transport.connected(), [b.id])
  await until(() => b.transport.connected().includes(a.id), 'b knows of a')
})

test('a node calls itself without a connection', async () => {
  await using network = new TestNetwork()
  const a = await network.node({ listen: false })
  a.transport.handle('map.head', async (_, caller) => {
    assert.equal(caller.id, a.id)
    return {}
  })
  await a.transport.call(a.id, 'map.head', {})
  assert.deepEqual(a.transport.connected(), [])
})

test('access: strangers, members and validators reach what the registry opens to them, and nothing else', async () => {
  await using network = new TestNetwork()
  const ranks = new Map<DidKey, 'anyone' | 'member' | 'validator'>()
  const b = await network.node({
    access: {
      allows: (id, access) => {
        const rank = ranks.get(id) ?? 'anyone'
        return access === 'anyone' || rank === 'validator' || rank === access
      },
    },
  })
  b.transport.handle('map.head', async () => ({}))
  b.transport.handle('map.publish', async () => ({}))
  const caller = await network.node({ listen: false })
  for (const rank of ['anyone', 'member', 'validator'] as const) {
    ranks.set(caller.id, rank)
    await caller.transport.call(b.id, 'map.head', {})
    const publish = caller.transport.call(b.id, 'map.publish', {})
    if (rank === 'validator') await publish
    else await assert.rejects(publish, { code: 'E_ACCESS_VALIDATORS_ONLY' })
  }
})

test('a method that nobody handles, and a request over its limit', async () => {
  await using network = new TestNetwork()
  const [a, b] = [await network.node(), await network.node()]
  await assert.rejects(a.transport.call(b.id, 'map.entries', {}), { code: 'E_METHOD_NOT_OFFERED', retryable: true })
  await assert.rejects(a.transport.call(b.id, 'admission.apply', { application: { payload: new Uint8Array(9_000) } }), {
    code: 'E_REQUEST_TOO_LARGE',
  })
})

test('what cannot be reached says what was tried', async () => {
  await using network = new TestNetwork()
  const a = await network.node({ listen: false })
  const b = await network.node()
  const nobody = SigningKey.generate().id
  await assert.rejects(a.transport.connect(nobody), { code: 'E_NODE_UNREACHABLE' })
  const closed = createServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const { port } = closed.address() as { port: number }
  closed.close()
  await once(closed, 'close')
  network.addresses.set(nobody, [`/ip4/127.0.0.1/tcp/${port}`])
  await assert.rejects(a.transport.call(nobody, 'map.head', {}), (error: WeftError) => {
    assert.equal(error.code, 'E_NODE_UNREACHABLE')
    assert.match(error.cause, new RegExp(`/ip4/127.0.0.1/tcp/${port} \\(ECONNREFUSED\\)`))
    return error.retryable
  })
  // Another node answers there: its key is not the one that was asked for.
  await assert.rejects(a.transport.connect(nobody, b.transport.listenAddresses()), { code: 'E_NODE_UNREACHABLE' })
  await assert.rejects(a.transport.connect(nobody, ['no multiaddr']), { code: 'E_NODE_UNREACHABLE' })
  await assert.rejects(a.transport.connect(a.id), { code: 'E_NODE_SELF' })
})

test('a node that offers nothing yet may offer it later; until then it is of no network', async () => {
  await using network = new TestNetwork()
  const caller = await network.node({ listen: false })
  const key = SigningKey.generate()
  const host = await createHost(
    {
      privateKey: toPrivateKey(key),
      listen: [{ host: '127.0.0.1', port: 0 }],
      announce: [],
      noise: false,
      clock: systemClock,
    },
    {},
  )
  try {
    network.addresses.set(
      key.id,
      host.getMultiaddrs().map((address) => address.toString().replace(/\/p2p\/.*$/, '')),
    )
    await assert.rejects(caller.transport.call(key.id, 'map.head', {}), (error: WeftError) => {
      assert.equal(error.code, 'E_NETWORK_MISMATCH')
      assert.match(error.cause, /no network of Weft \(yet\)/)
      return error.retryable
    })
  } finally {
    await host.stop()
  }
})

test('another network is named and its connection dropped', async () => {
  await using network = new TestNetwork()
  const name = `w${'a2'.repeat(16)}`
  const ours = await network.node({ networkId: name })
  const other = await network.node({ networkId: 'other' })
  await assert.rejects(other.transport.connect(ours.id), (error: WeftError) => {
    assert.equal(error.code, 'E_NETWORK_MISMATCH')
    assert.deepEqual({ ours: error.details.ours, theirs: error.details.theirs }, { ours: 'other', theirs: name })
    assert.ok(error.cause.includes(name))
    return !error.retryable
  })
  await assert.rejects(other.transport.call(ours.id, 'map.head', {}), { code: 'E_NETWORK_MISMATCH' })
  await assert.rejects(other.transport.probe(ours.transport.listenAddresses()[0]!, ours.id), {
    code: 'E_NETWORK_MISMATCH',
  })
  assert.deepEqual(ours.transport.connected(), [])
  assert.deepEqual(other.transport.connected(), [])
})

test('a network whose name is none is not named: it could be words for a terminal', async () => {
  await using network = new TestNetwork()
  const ours = await network.node({ listen: false })
  const evil = await network.node({ networkId: '\u001b[2J\u001b[32mok   all is well\n\u202e' })
  await assert.rejects(ours.transport.call(evil.id, 'map.head', {}), (error: WeftError) => {
    assert.equal(error.code, 'E_NETWORK_MISMATCH')
    assert.doesNotMatch(JSON.stringify(error), /u001b|u202e|all is well/)
    return /belongs to another network/.test(error.cause)
  })
})

test('what any stranger can cause does not fill the log', async () => {
  await using network = new TestNetwork()
  const lines: string[] = []
  const loud = (message: string): number => lines.push(message)
  const ours = await network.node({ logger: { ...silentLogger, info: loud, warn: loud, error: loud } })
  const other = await network.node({ networkId: 'other', listen: false })
  await assert.rejects(other.transport.connect(ours.id), { code: 'E_NETWORK_MISMATCH' })
  await until(() => other.transport.connected().length === 0, 'dropped')
  assert.deepEqual(lines, [])
})

test('silent sockets, more than a node has places for, do not keep others out', async () => {
  await using network = new TestNetwork()
  const node = await network.node()
  const port = Number(node.transport.listenAddresses()[0]!.split('/').at(-1))
  const sockets = Array.from({ length: MAX_PENDING_CONNECTIONS + 50 }, () => connectTcp(port, '127.0.0.1'))
  try {
    for (const socket of sockets) socket.on('error', () => {})
    await Promise.all(sockets.map((socket) => once(socket, 'connect')))
    const { transport } = await network.node({ listen: false })
    // As nodes do: here the newcomer shares the flood's address and so its rate, which is spent for up to a second.
    const deadline = performance.now() + 20_000
    while (transport.connected().length === 0)
      await transport.connect(node.id).catch((error: unknown) => {
        if (performance.now() > deadline) throw error
      })
  } finally {
    for (const socket of sockets) socket.destroy()
  }
})

test('the control stream comes back by itself after the connection was dropped', async () => {
  await using network = new TestNetwork()
  const [a, b] = [await network.node(), await network.node()]
  b.transport.handle('map.head', async () => ({}))
  const seen: boolean[] = []
  a.transport.onPeer((id, connected) => {
    assert.equal(id, b.id)
    seen.push(connected)
  })
  await a.transport.call(b.id, 'map.head', {})
  await b.transport.disconnect(a.id)
  await until(() => a.transport.connected().length === 0, 'a sees the end')
  await a.transport.call(b.id, 'map.head', {})
  await until(() => seen.length === 3, 'connected again')
  assert.deepEqual(seen, [true, false, true])
})

test('a connection is unused where no call, no bulk and no place at a relay needs it, and to who dialled', async () => {
  await using network = new TestNetwork()
  const [a, b] = [await network.node(), await network.node()]
  const { promise: answer, resolve } = Promise.withResolvers<void>()
  b.transport.handle('map.head', () => answer.then(() => ({})))
  b.transport.handleStream('shard', async (stream) => stream.closed)
  await a.transport.connect(b.id)
  await until(() => b.transport.connected().includes(a.id), 'b knows of a')
  await until(() => a.transport.unused(1).includes(b.id), 'identify is over')
  assert.deepEqual(b.transport.unused(1), [], 'the other side dialled')
  assert.deepEqual(a.transport.unused(60_000), [], 'it was used a moment ago')
  const call = a.transport.call(b.id, 'map.head', {})
  assert.deepEqual(a.transport.unused(1), [], 'a call is under way')
  resolve()
  await call
  await until(() => a.transport.unused(1).includes(b.id), 'the call is over')
  const stream = await a.transport.open(b.id, 'shard')
  assert.deepEqual(a.transport.unused(1), [], 'bulk is under way')
  stream.abort(new Error('over'))
  await until(() => a.transport.unused(1).includes(b.id), 'the stream is gone')
})

test('a call that takes too long ends, and its handler hears of it', async () => {
  await using network = new TestNetwork()
  const [a, b] = [await network.node(), await network.node()]
  const told = Promise.withResolvers<void>()
  b.transport.handle(
    'map.head',
    (_, __, signal) => new Promise(() => signal.addEventListener('abort', () => told.resolve())),
  )
  await a.transport.connect(b.id)
  await assert.rejects(a.transport.call(b.id, 'map.head', {}, { timeoutMs: 50 }), {
    code: 'E_CALL_TIMEOUT',
    retryable: true,
  })
  await told.promise
})

test('many calls at once wait for their turn and all are answered', async () => {
  await using network = new TestNetwork()
  const [a, b] = [await network.node(), await network.node()]
  let most = 0
  let now = 0
  b.transport.handle('map.head', async () => {
    most = Math.max(most, ++now)
    await new Promise((resolve) => setImmediate(resolve))
    now--
    return {}
  })
  await Promise.all(Array.from({ length: 500 }, () => a.transport.call(b.id, 'map.head', {})))
  assert.ok(most > 1 && most <= 64, `${most} at once`)
})

test('the port that is taken is named, of several that one', async () => {
  await using network = new TestNetwork()
  const a = await network.node()
  const port = Number(a.transport.listenAddresses()[0]!.split('/').at(-1))
  for (const websocket of [false, true]) {
    const scope = new Scope({ name: 'second' })
    const second = createTransport({
      networkId: 'test',
      key: SigningKey.generate(),
      listen: [
        { host: '127.0.0.1', port: 0 },
        { host: '127.0.0.1', port, websocket },
      ],
      clock: systemClock,
      logger: silentLogger,
      scope,
      access: { allows: () => true },
      lookup: () => [],
    })
    await assert.rejects(second, (error: WeftError) => {
      assert.equal(error.code, 'E_PORT_TAKEN')
      assert.equal(error.details['port'], port)
      return error.cause.includes(` 127.0.0.1:${port} `)
    })
    await scope.close()
  }
})

test('a ping measures a round trip', async () => {
  await using network = new TestNetwork()
  const [a, b] = [await network.node(), await network.node()]
  assert.ok((await a.transport.ping(b.id)) > 0)
  await assert.rejects(a.transport.ping(SigningKey.generate().id), { code: 'E_NODE_UNREACHABLE' })
})

test('a probe is a stranger with an identity of its own, and sees how frames beyond the limits end', async () => {
  await using network = new TestNetwork()
  const b = await network.node({ access: { allows: (_, access) => access === 'anyone' } })
  const a = await network.node()
  const callers: DidKey[] = []
  b.transport.handle('map.head', async (_, caller) => {
    callers.push(caller.id)
    return {}
  })
  await using probe = await a.transport.probe(b.transport.listenAddresses()[0]!, b.id)
  await probe.rpc.call(b.id, 'map.head', {})
  assert.deepEqual(callers, [probe.self])
  assert.notEqual(probe.self, a.id)
  await assert.rejects(probe.rpc.call(a.id, 'map.head', {}), { code: 'E_PROBE_TARGET' })
  assert.equal((await probe.sendRaw('rpc', Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f))).state, 'reset')
  // A length that a validator may send and a stranger may not.
  const large = new Uint8Array(200_000)
  large.set([0xc0, 0x9a, 0x0c])
  assert.ok(large.length < MAX_RPC_FRAME)
  assert.equal((await probe.sendRaw('rpc', large)).state, 'reset')
  assert.equal((await probe.sendRaw('rpc', Uint8Array.of(5), { waitMs: 100 })).state, 'open')
  await assert.rejects(probe.open('shard'), { code: 'E_PROTOCOL_NOT_OFFERED' })
})

test('closing fails what is under way and leaves nothing open', async () => {
  await using network = new TestNetwork()
  const [a, b] = [await network.node(), await network.node()]
  const begun = Promise.withResolvers<void>()
  b.transport.handle('map.head', () => {
    begun.resolve()
    return new Promise(() => {})
  })
  const call = assert.rejects(a.transport.call(b.id, 'map.head', {}), { code: 'E_ABORTED' })
  await begun.promise
  await a.scope.close()
  await call
  await until(() => b.transport.connected().length === 0, 'b sees the end')
})
