import assert from 'node:assert/strict'
import { after, beforeEach, describe, it } from 'node:test'
import { LinkCommand } from '../src/link/link-command.ts'
import { FakeNetwork, say } from './circuit/fake-network.ts'
import { TestNetwork, cell } from './link/link-network.ts'
import { SecretWatch } from './secret-watch.ts'

const oneOf = (...kept: readonly Uint8Array[]): ((bytes: Uint8Array) => boolean) => {
  return (bytes) => kept.some((one) => Buffer.compare(one, bytes) === 0)
}

describe('what was secret in the packet path', () => {
  const watch = new SecretWatch()
  after(() => watch[Symbol.dispose]())
  beforeEach(() => watch.clear())

  it('is overwritten when a link ends, after renewals, cookies and handshakes that came to nothing', async () => {
    const network = new TestNetwork()
    const [a, b] = [network.add(1), network.add(2, { limits: { links: 3, handshakes: 4, loadedFrom: 2 } })]
    const link = a.links.connect(b.endpoint, b.keys.publicKey, false)
    link.circuits = 1
    await network.run(10)
    b.ups[0]!.circuits = 1
    await network.run(250_000)
    // One by a cookie; more than there is room for; a replay; two whose answers nobody confirms; one that nobody answers.
    network.works = false
    network.log = []
    const clients = Array.from({ length: 6 }, (_, i) => network.add(10 + i, { listen: false }))
    for (const { links } of clients) links.connect(b.endpoint, b.keys.publicKey, true)
    const [initiation] = network.log
    await network.run(5)
    while (b.links.work());
    network.deliver(initiation!, a.endpoint, b)
    network.conditions.loss = 1
    while (b.links.work());
    await network.run(10_000)
    network.conditions.loss = 0
    assert.ok(b.links.counters.cookieReplies > 0 && b.links.counters.tooManyLinks > 0)
    assert.ok(watch.size > 100, `${watch.size} buffers`)
    link.sendCell(1, cell(1))
    for (const { links } of [a, b, ...clients]) links.close()
    const own = [a, b, ...clients].map(({ keys }) => keys.secretKey)
    assert.deepEqual(watch.left(oneOf(...own)), [])
  })

  it('is overwritten when keys are replaced: of a link that lives, those of two generations are there at most', async () => {
    const network = new TestNetwork()
    const [a, b] = [network.add(1), network.add(2)]
    const link = a.links.connect(b.endpoint, b.keys.publicKey, false)
    link.circuits = 1
    await network.run(10)
    b.ups[0]!.circuits = 1
    const kept = oneOf(a.keys.secretKey, b.keys.secretKey)
    /** Each side has two keys of packets and two of headers; and b one that hides initiations. */
    const expected = (generations: number): number => 2 * 4 * generations + 1
    const use = async (ms: number): Promise<void> => {
      await network.run(ms)
      link.sendCell(1, cell(1))
      b.ups[0]!.sendCell(1, cell(1))
      await network.run(10)
    }
    await use(60_000)
    for (let renewal = 1; renewal <= 5; renewal++) {
      // 121 s after the last: the ones before are good for receiving yet.
      await use(61_000)
      assert.equal(watch.left(kept).length, expected(2), `renewal ${renewal}`)
      // 181 s after it they are of no use.
      await use(60_000)
      assert.equal(watch.left(kept).length, expected(1), `after renewal ${renewal}`)
    }
  })

  it('is overwritten in circuits that end, were refused, or never came to be', async () => {
    const network = new FakeNetwork('abcd', { d: { roles: { exit: false, relay: false } } })
    const circuit = network.build('abc')
    network.run()
    circuit.seal(say(1, 'up'))
    network.node('c').exits[0]!.circuit.seal(say(1, 'down'))
    network.run()
    const others = [network.build('abd'), network.build('bac'), network.build('ab')]
    network.run()
    // One whose answer is changed on its way, and one whose request is.
    for (const command of [LinkCommand.created, LinkCommand.create]) {
      network.build('abc', { timeoutMs: 1_000 })
      network.run((item) => {
        if (item.command !== command) return [item]
        const bytes = item.bytes.slice()
        bytes[60]! ^= 1
        return [{ ...item, bytes }]
      })
    }
    assert.equal(others.filter(({ state }) => state === 'ready').length, 2)
    await network.pass(2_000)
    assert.ok(watch.size > 100, `${watch.size} buffers`)
    circuit.destroy()
    network.run()
    for (const other of others) other.destroy()
    network.run()
    await network.pass(1_000)
    for (const name of 'abcd') assert.equal(network.node(name).circuits.size, 0, name)
    const onions = ['a', 'b', 'c', 'd'].map((name) => network.node(name).onion.secretKey)
    // MACs are hashes as well, and no secret: they went over the links.
    const wasSent = (bytes: Uint8Array): boolean =>
      network.delivered.some((item) => Buffer.from(item.bytes).includes(bytes))
    const isOnion = oneOf(...onions)
    assert.deepEqual(
      watch.left((bytes) => isOnion(bytes) || wasSent(bytes)),
      [],
    )
  })
})
