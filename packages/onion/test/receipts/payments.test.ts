import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomInt, seededRandom, toHex } from '@weft/core'
import { newLinkContent, writeDestroy } from '../../src/circuit/link-content.ts'
import { CIRCUIT_OWED, CircuitReason } from '../../src/circuit/reasons.ts'
import { LinkCommand } from '../../src/link/link-command.ts'
import type { ReceiptTill } from '../../src/receipts/hop-account.ts'
import { ReceiptAnswer } from '../../src/receipts/receipt.ts'
import { CELLS_A_PAYMENT } from '../../src/receipts/use-meter.ts'
import type { ClientCircuitOptions } from '../../src/circuit/client-circuit.ts'
import type { Tier } from '../../src/shaping/tier.ts'
import { UnitKind } from '../../src/circuit/layer.ts'
import { HandMadeExit } from '../circuit/hand-made-ends.ts'
import { FakeNetwork, type Item, say } from '../circuit/fake-network.ts'

const KEY = new Uint8Array(32).fill(7)

/** Takes what was not there before. */
class Till implements ReceiptTill {
  readonly keys: readonly Uint8Array[] = [KEY]
  readonly taken: string[] = []
  take(spend: Uint8Array, _: string, done: (answer: ReceiptAnswer) => void): void {
    const name = toHex(spend)
    if (this.taken.includes(name)) return done(ReceiptAnswer.spent)
    this.taken.push(name)
    done(ReceiptAnswer.taken)
  }
}

/** Hops that want pay, and a client with so many tokens. Of two the last one is made by hand. */
function paying(tokens: number, wants = 'abc', options: Partial<ClientCircuitOptions> = {}, hops = 'abc') {
  const tills = new Map(Array.from(wants, (name) => [name, new Till()]))
  const said: ReceiptAnswer[] = []
  const overcharged = new Set<string>()
  let left = tokens
  const network = new FakeNetwork(hops, Object.fromEntries([...tills].map(([name, till]) => [name, { till }])), {
    pay: (hop, keys) => {
      assert.deepEqual(keys, [KEY])
      return left-- > 0 ? Uint8Array.of(hop[0] as number, left >> 8, left) : undefined
    },
    get hasNone() {
      return left <= 0
    },
    answered: (_, answer) => void said.push(answer),
    overcharged: (hop) => void overcharged.add(toHex(hop)),
  })
  const ended: number[] = []
  const circuit = network.build(hops, { ...options, onEnd: (reason, hop) => void ended.push(reason, hop) })
  const exit = new HandMadeExit(network, 'b')
  network.run(hops === 'ab' ? exit.take : undefined)
  let number = 0
  return {
    network,
    circuit,
    exit,
    tills,
    said,
    overcharged,
    ended,
    say: (): boolean => circuit.seal(say(++number, 'there')),
    /** Cells from the client, so many each 100 ms. */
    use: async (cells: number, ms: number, change?: (item: Item) => readonly Item[]): Promise<void> => {
      for (let gone = 0; gone < ms; gone += 100) {
        for (let at = 0; at < cells; at++) circuit.seal(say(++number, 'there'))
        await network.pass(100, change, 100)
      }
    },
  }
}

test('every hop gets a payment for each 4 MiB, and only then', async () => {
  const { circuit, tills, said, use, ended } = paying(1_000)
  await use(100, 10_000)
  for (const [name, { taken }] of tills) assert.equal(taken.length, 3, name)
  assert.deepEqual(circuit.payments?.taken, [3, 3, 3])
  assert.ok(said.every((answer) => answer === ReceiptAnswer.taken))
  assert.deepEqual(ended, [])
})

test('a hop that wants no pay gets none', async () => {
  const { circuit, tills, use } = paying(1_000, 'ac')
  await use(100, 10_000)
  assert.deepEqual(circuit.payments?.taken, [3, 0, 3])
  assert.deepEqual([...tills.keys()], ['a', 'c'])
})

test('a client without tokens is cut, knows by whichever hop it was, and that it owes it', async () => {
  const { ended, use, circuit } = paying(0, 'b')
  await use(100, 14_000)
  assert.deepEqual(ended, [CIRCUIT_OWED, 1])
  assert.equal(circuit.state, 'closed')
})

test('a hop that ends a circuit as unpaid, to which nothing is owed, is told as that', async () => {
  const { ended, use, network } = paying(1_000)
  await use(100, 4_000)
  const entry = network.link('a', 'C')
  const circuitId = network.delivered.find(({ to, command }) => to === 'C' && command === 0)?.circuitId ?? assert.fail()
  entry.sendMessage(LinkCommand.destroy, circuitId, writeDestroy(newLinkContent(), CircuitReason.unpaid))
  network.run()
  assert.deepEqual(ended, [CircuitReason.unpaid, 0])
})

test('an idle circuit costs nothing', async () => {
  const { circuit, tills, use } = paying(1_000)
  for (let minutes = 0; minutes < 5; minutes++) {
    await use(10, 300)
    await use(0, 60_000)
  }
  assert.deepEqual(circuit.payments?.taken, [0, 0, 0])
  for (const { taken } of tills.values()) assert.equal(taken.length, 0)
})

test('under loss of a seventh of all cells on every link an honest client is never cut, and pays each hop once for what it carried', async () => {
  const { circuit, tills, ended, use, network, overcharged } = paying(10_000)
  const random = seededRandom(5)
  await use(60, 45_000, (item) => (item.command === 0 && randomInt(random, 7) === 0 ? [] : [item]))
  assert.deepEqual(ended, [])
  await use(0, 20_000)
  const due = circuit.payments?.due[2] ?? 0
  assert.equal(due, Math.floor((60 * 450) / CELLS_A_PAYMENT))
  // Each is paid for what came to it: six sevenths of what came to the one before.
  for (const [depth, { taken }] of [...tills.values()].entries()) {
    const all = Math.floor(due * (6 / 7) ** (depth + 1))
    assert.ok(taken.length >= all - 1 && taken.length <= all + 1, `${depth}: ${taken.length} of ${due}`)
    assert.equal(circuit.payments?.taken[depth], taken.length)
  }
  assert.equal(network.node('a').circuits.size, 1)
  assert.equal(overcharged.size, 0)
})

test('a hop that wants more than it carried gets no more than what can be, and the client says so', async () => {
  const { circuit, tills, use, overcharged, network } = paying(10_000, 'b')
  // The exit sends, and nothing comes to the client: the middle counts, and the client has not seen it.
  const lost = (item: Item): readonly Item[] => (item.to === 'C' && item.command === 0 && lossy ? [] : [item])
  let lossy = false
  await use(100, 5_000, lost)
  const [exit] = network.node('c').exits
  lossy = true
  for (let at = 0; at < 9 * CELLS_A_PAYMENT; at++) {
    network.node('c').circuits.queue.begin(1)
    assert.ok(exit?.circuit.seal(say(1_000_000 + at, 'back')))
    network.run(lost)
  }
  lossy = false
  await use(30, 21_000)
  assert.ok(overcharged.has(toHex(network.keyOf('b'))))
  const due = circuit.payments?.due[1] ?? 0
  assert.ok((tills.get('b')?.taken.length ?? 0) <= Math.floor(due * 1.25) + 2)
})

/** A leg's own questions every 10 s, and a message now and then. */
async function rest(of: ReturnType<typeof paying>, minutes: number, messageMs?: number): Promise<void> {
  const { circuit, network } = of
  for (let ms = 0; ms < minutes * 60_000; ms += 10_000) {
    for (const hop of [0, 1, 2]) circuit.ping(hop)
    circuit.count()
    if (messageMs !== undefined && ms % messageMs === 0) of.say()
    await network.pass(10_000, undefined, 50)
    if (circuit.state === 'closed') return
  }
}

const TIERS: readonly Tier[] = ['off', 'standard', 'high']

for (const tier of TIERS)
  test(`in tier ${tier} whoever rests and says little pays each hop for what it passed on, and is not cut`, async () => {
    const all = paying(10_000, 'abc', { tier })
    const { circuit, tills, ended, overcharged } = all
    await rest(all, 10)
    await rest(all, 10, 30_000)
    assert.deepEqual(ended, [])
    assert.equal(overcharged.size, 0)
    const { due = [], taken = [] } = circuit.payments ?? {}
    assert.deepEqual(
      taken,
      Array.from(tills.values(), (till) => till.taken.length),
    )
    const [entry = 0, middle, exit] = taken
    assert.ok(tier === 'high' ? entry >= 18 && (due[0] ?? 0) - entry <= 1 : entry === 0, `${entry} of ${due[0]}`)
    assert.deepEqual([middle, exit], [0, 0], 'padding ends at the middle')
  })

for (const tier of TIERS)
  test(`in tier ${tier} whoever says much at once and a word a while later pays for it, and is not cut`, async () => {
    const all = paying(10_000, 'abc', { tier })
    const { circuit, tills, ended, use } = all
    for (let time = 0; time < 6; time++) {
      await use(100, 200)
      await rest(all, 1.5)
      await use(1, 100)
      await rest(all, 1.5)
    }
    assert.deepEqual(ended, [])
    const [entry = 0, middle, exit] = circuit.payments?.taken ?? []
    assert.deepEqual([middle, exit], [6, 6])
    // With a tier hops are asked for a minute more, which is just beyond what costs nothing; without one never for a circuit at rest.
    assert.ok(tier === 'high' ? entry >= 17 : entry === (tier === 'off' ? 6 : 12), `${entry}`)
    assert.equal(tills.get('c')?.taken.length, 6)
  })

for (const tier of TIERS)
  test(`a hop that sends as much of no use as it may in tier ${tier} has its client pay the entry for it, not the entry end the circuit`, async () => {
    const { circuit, network, exit, tills, ended } = paying(10_000, 'a', { tier }, 'ab')
    for (let ms = 0; ms < 60_000; ms += 100) {
      if (ms % 1_000 === 0) circuit.ping(0)
      // Twice what its machine may.
      for (let at = 0; at < 19; at++) exit.send(UnitKind.padding)
      await network.pass(100, exit.take, 100)
    }
    assert.deepEqual(ended, [])
    assert.equal(tills.get('a')?.taken.length, Math.floor((190 * 60) / CELLS_A_PAYMENT))
  })
