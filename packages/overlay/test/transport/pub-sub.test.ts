import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8, utf8 } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { MAX_PUBSUB_MESSAGE } from '@weft/wire'
import { GOSSIP_RATE } from '../../src/transport/limits.ts'
import type { Verdict } from '../../src/transport/pub-sub.ts'
import type { AccessPolicy } from '../../src/transport/transport.ts'
import { type TestNode, TestNetwork } from './test-network.ts'
import { until } from './until.ts'

interface Listener {
  readonly got: { from: DidKey; text: string }[]
  readonly judged: string[]
}

function listen(node: TestNode, verdict: (text: string) => Verdict = () => 'accept', topic = 'news'): Listener {
  const listener: Listener = { got: [], judged: [] }
  node.transport.pubsub.subscribe(
    topic,
    (message) => {
      listener.judged.push(fromUtf8(message.data))
      return verdict(fromUtf8(message.data))
    },
    (message) => listener.got.push({ from: message.from, text: fromUtf8(message.data) }),
  )
  return listener
}

/** Publishes again and again until the topic's mesh has formed and the message went through. */
async function publishUntil(node: TestNode, prefix: string, arrived: () => boolean, topic = 'news'): Promise<void> {
  let sent = 0
  await until(
    async () => {
      if (arrived()) return true
      await node.transport.pubsub.publish(topic, utf8(`${prefix} ${sent++}`))
      return false
    },
    `the arrival of ${prefix}`,
    15_000,
  )
}

test('a message reaches all subscribers with its signer, not its publisher', async () => {
  await using network = new TestNetwork()
  const nodes = [await network.node(), await network.node(), await network.node()] as const
  const listeners = nodes.map((node) => listen(node))
  // A line: the last hears of the first only through the one between.
  await nodes[0].transport.connect(nodes[1].id)
  await nodes[1].transport.connect(nodes[2].id)
  await publishUntil(nodes[0], 'hello', () => listeners[2]!.got.length > 0)
  assert.ok(listeners[2]!.got.every(({ from }) => from === nodes[0].id))
  assert.deepEqual(listeners[0]!.got, [])
})

test('messages of strangers are not even judged; what a validator refuses is not delivered', async () => {
  await using network = new TestNetwork()
  const strangers = new Set<DidKey>()
  const b = await network.node({ access: { allows: (id, access) => access === 'anyone' || !strangers.has(id) } })
  const member = await network.node()
  const stranger = await network.node()
  strangers.add(stranger.id)
  const listener = listen(b, (text) => (text.startsWith('bad') ? 'ignore' : 'accept'))
  await member.transport.connect(b.id)
  await stranger.transport.connect(b.id)
  await publishUntil(member, 'bad', () => listener.judged.length > 0)
  for (let i = 0; i < 20; i++) await stranger.transport.pubsub.publish('news', utf8(`strange ${i}`))
  await publishUntil(member, 'good', () => listener.got.length > 0)
  assert.ok(listener.got.every(({ text, from }) => text.startsWith('good') && from === member.id))
  assert.ok(listener.judged.every((text) => !text.startsWith('strange')))
})

test('a member whose messages are rejected is soon not heard any more, and others are', async () => {
  await using network = new TestNetwork()
  const [listening, liar, honest] = [await network.node(), await network.node(), await network.node()]
  const listener = listen(listening, (text) => (text.startsWith('bad') ? 'reject' : 'accept'), 'map')
  // What it publishes itself a node does not judge.
  listen(liar, () => 'ignore', 'map')
  listen(honest, () => 'ignore', 'map')
  await liar.transport.connect(listening.id)
  await honest.transport.connect(listening.id)
  await publishUntil(liar, 'fine', () => listener.got.some(({ from }) => from === liar.id), 'map')
  await publishUntil(liar, 'bad', () => listener.judged.filter((text) => text.startsWith('bad')).length >= 3, 'map')
  // Scores are reckoned once a second: its messages go to nobody's judgement from some moment on.
  const isJudged = async (round: string): Promise<boolean> => {
    await liar.transport.pubsub.publish('map', utf8(`late ${round}`))
    await publishUntil(honest, round, () => listener.got.some(({ text }) => text.startsWith(`${round} `)), 'map')
    return listener.judged.includes(`late ${round}`)
  }
  let round = 0
  await until(async () => !(await isJudged(`round-${round++}`)), 'the end of its messages', 10_000)
  for (let i = 0; i < 5; i++) assert.equal(await isJudged(`after-${i}`), false)
  assert.ok(listener.got.every(({ text }) => !text.startsWith('bad')))
})

test('many members behind one address are heard like any others', async () => {
  await using network = new TestNetwork()
  const listening = await network.node()
  const listener = listen(listening, () => 'accept', 'map')
  const others: TestNode[] = []
  for (let i = 0; i < 18; i++) {
    const other = await network.node({ listen: false })
    listen(other, () => 'ignore', 'map')
    await other.transport.connect(listening.id)
    others.push(other)
  }
  const last = others.at(-1) as TestNode
  await publishUntil(last, 'hello', () => listener.got.some(({ from }) => from === last.id), 'map')
})

/** Who is a member, for all nodes of a test; a change is told. */
class Members {
  readonly #ids = new Set<DidKey>()
  readonly #listeners = new Set<() => void>()

  readonly access: AccessPolicy = {
    allows: (id, access) => access === 'anyone' || this.#ids.has(id),
    onChange: (listener) => {
      this.#listeners.add(listener)
      return () => this.#listeners.delete(listener)
    },
  }

  set(...ids: readonly DidKey[]): void {
    this.#ids.clear()
    for (const id of ids) this.#ids.add(id)
    for (const listener of this.#listeners) listener()
  }
}

test('a stranger is sent nothing until it is a member, and nothing once it is none', async () => {
  await using network = new TestNetwork()
  const members = new Members()
  const [publisher, relay] = [await network.node(members), await network.node(members)]
  // It believes everybody, so that nothing but the other sides keeps it out.
  const stranger = await network.node({ listen: false })
  members.set(publisher.id, relay.id)
  const [, atRelay, atStranger] = [publisher, relay, stranger].map((node) => listen(node))
  await stranger.transport.connect(relay.id)
  await relay.transport.connect(publisher.id)
  await publishUntil(publisher, 'inner', () => atRelay!.got.length > 5)
  assert.equal(atStranger!.got.length, 0)

  members.set(publisher.id, relay.id, stranger.id)
  await publishUntil(publisher, 'open', () => atStranger!.got.length > 0)

  members.set(publisher.id, relay.id)
  // What was on its way may still arrive; from `closed` on nothing does.
  const before = atRelay!.got.length
  await publishUntil(publisher, 'closed', () => atRelay!.got.length > before + 5)
  assert.ok(atStranger!.got.every(({ text }) => !text.startsWith('closed')))
})

test('two nodes whose maps change at different times find each other on topics', async () => {
  for (const first of ['a', 'b'] as const) {
    await using network = new TestNetwork()
    const [ofA, ofB] = [new Members(), new Members()]
    const [a, b] = [await network.node(ofA), await network.node(ofB)]
    const [atA, atB] = [listen(a), listen(b)]
    await a.transport.connect(b.id)
    const changes = [(): void => ofA.set(a.id, b.id), (): void => ofB.set(a.id, b.id)]
    for (const change of first === 'a' ? changes : changes.toReversed()) {
      change()
      // Long enough for the side that is behind to refuse a stream.
      await Promise.all([a.transport.ping(b.id), b.transport.ping(a.id)])
    }
    await publishUntil(a, 'to b', () => atB.got.length > 0)
    await publishUntil(b, 'to a', () => atA.got.length > 0)
  }
})

test('a member that left passes nothing on any more, also on the stream that it has', async () => {
  await using network = new TestNetwork()
  const members = new Members()
  const b = await network.node(members)
  const [former, publisher] = [await network.node(), await network.node({ listen: false })]
  members.set(b.id, former.id, publisher.id)
  const [atB, atFormer] = [listen(b), listen(former)]
  await former.transport.connect(b.id)
  await publisher.transport.connect(former.id)
  await publishUntil(publisher, 'before', () => atB.judged.length > 0)
  members.set(b.id, publisher.id)
  for (let i = 0; i < 10; i++) await publisher.transport.pubsub.publish('news', utf8(`after ${i}`))
  await until(() => atFormer.got.some(({ text }) => text === 'after 9'), 'the former member has them')
  // It passed them on at once, if at all, and the ping comes after them on the same connection.
  await former.transport.ping(b.id)
  assert.ok(atB.judged.every((text) => text.startsWith('before')))
})

test('a member that floods a topic is cut off', async () => {
  await using network = new TestNetwork()
  const [a, b] = [await network.node({ listen: false }), await network.node()]
  const listener = listen(b)
  listen(a)
  await a.transport.connect(b.id)
  await publishUntil(a, 'hello', () => listener.got.length > 0)
  const length = 60_000
  const allowed = GOSSIP_RATE.burst / length
  const sent = 4 * Math.ceil(allowed)
  for (let i = 0; i < sent; i++) {
    const data = new Uint8Array(length)
    data.set(utf8(`flood ${i} `))
    await a.transport.pubsub.publish('news', data)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await a.transport.ping(b.id)
  const floods = listener.got.filter(({ text }) => text.startsWith('flood')).length
  assert.ok(floods >= 1 && floods < sent / 2, `${floods} of ${sent}`)
  assert.deepEqual(b.transport.connected(), [a.id])
})

test('a message over the limit is refused where it is published', async () => {
  await using network = new TestNetwork()
  const a = await network.node({ listen: false })
  await assert.rejects(a.transport.pubsub.publish('news', new Uint8Array(MAX_PUBSUB_MESSAGE + 1)), {
    code: 'E_TOPIC_MESSAGE_TOO_LARGE',
  })
})
