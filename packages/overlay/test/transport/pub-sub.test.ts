import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8, utf8 } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { MAX_PUBSUB_MESSAGE } from '@weft/wire'
import type { Verdict } from '../../src/transport/pub-sub.ts'
import { type TestNode, TestNetwork } from './test-network.ts'
import { turn } from './poll.ts'

interface Listener {
  readonly got: { from: DidKey; text: string }[]
  readonly judged: string[]
}

function listen(node: TestNode, verdict: (text: string) => Verdict = () => 'accept'): Listener {
  const listener: Listener = { got: [], judged: [] }
  node.transport.pubsub.subscribe(
    'news',
    (message) => {
      listener.judged.push(fromUtf8(message.data))
      return verdict(fromUtf8(message.data))
    },
    (message) => listener.got.push({ from: message.from, text: fromUtf8(message.data) }),
  )
  return listener
}

/** Publishes again and again until the topic's mesh has formed and the message went through. */
async function publishUntil(node: TestNode, prefix: string, arrived: () => boolean): Promise<void> {
  const deadline = performance.now() + 15_000
  for (let i = 0; !arrived(); i++) {
    if (performance.now() > deadline) throw new Error(`never arrived: ${prefix}`)
    await node.transport.pubsub.publish('news', utf8(`${prefix} ${i}`))
    await turn(20)
  }
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

test('a message over the limit is refused where it is published', async () => {
  await using network = new TestNetwork()
  const a = await network.node({ listen: false })
  await assert.rejects(a.transport.pubsub.publish('news', new Uint8Array(MAX_PUBSUB_MESSAGE + 1)), {
    code: 'E_TOPIC_MESSAGE_TOO_LARGE',
  })
})
