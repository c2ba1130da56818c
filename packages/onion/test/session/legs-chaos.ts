import assert from 'node:assert/strict'
import { seededRandom } from '@weft/core'
import { type SessionLeg } from '../../src/session/session-leg.ts'
import { type SessionStream } from '../../src/session/session-stream.ts'
import { type Sink, exchange } from './simulated-path.ts'
import { type Circuit, SeveralLegs } from './several-legs.ts'

const TARGET = { host: 'example.org', port: 443 }

/** A stream, what became of it at its ends, and how much each is to get. */
interface Flow {
  readonly down: number
  readonly up: number
  readonly stream: SessionStream
  readonly atClient: Sink
  /** What the client was told of its end. */
  readonly ends: string[]
  isReset: boolean
}

interface ChaosResult {
  readonly streams: number
  readonly reset: number
  readonly packets: number
  /** Packets that the content would fill, with those of ACKs. */
  readonly needed: number
  readonly timeouts: number
  readonly ms: number
}

/** A session over legs that come, go, are cut, mend, lose, double and reorder, under streams that both sides reset now and then. */
function chaos(seed: number): ChaosResult {
  const random = seededRandom(seed + 1e6)
  const draw = (most: number): number => new DataView(random.bytes(4).buffer).getUint32(0) % most
  const flows: Flow[] = []
  const atExit = new Map<number, { readonly stream: SessionStream; readonly sink: Sink }>()
  const legs = new SeveralLegs(seed, (stream) => {
    stream.accept('192.0.2.1')
    // As many as the stream's target says.
    atExit.set(stream.id, { stream, sink: watched(stream, Number(stream.target?.port) * 100, () => {}) })
  })
  const shape = () => ({
    delay: 1 + draw(60),
    rate: 500 + draw(8_000),
    queue: 1e6,
    drop: draw(4) === 0 ? draw(5) / 100 : 0,
    duplicate: draw(4) / 100,
    reorder: draw(3) / 100,
    reorderBy: 1 + draw(20),
  })
  const circuits: Circuit[] = [legs.begin(shape())]
  legs.name()
  let needed = 0
  const open = (): void => {
    const [up, port] = [draw(300_000), 1 + draw(6_000)]
    const stream = legs.client.session.openStream({ ...TARGET, port })
    const ends: string[] = []
    const atClient = watched(stream, up, (end) => void ends.push(end))
    flows.push({ up, down: port * 100, stream, atClient, ends, isReset: false })
    needed += (up + port * 100) / 1_250
    legs.client.wake()
  }
  const remove = (circuit: Circuit): void => {
    circuits.splice(circuits.indexOf(circuit), 1)
    circuit.cut()
    legs.client.session.removeLeg(circuit.leg)
    // The exit hears of it from its circuit, or from the client, whichever is first.
    const far = legs.exit.session.legs.find(({ id }) => id === circuit.leg.id)
    if (draw(2) === 0 && far !== undefined) legs.exit.session.removeLeg(far)
    legs.exit.wake()
  }
  const join = (): void => {
    if (circuits.length < 4 && legs.client.session.isNamed)
      circuits.push(legs.join(shape(), draw(3) === 0 ? 'reserve' : 'used'))
  }
  /** By the client, or by the exit where that knows of it. */
  const reset = (flow: Flow | undefined, isClient: boolean): void => {
    const stream = isClient ? flow?.stream : atExit.get(flow?.stream.id ?? -1)?.stream
    if (flow === undefined || stream === undefined) return
    flow.isReset = true
    stream.reset(isClient ? 0 : 9)
    if (isClient) flow.ends.push('by itself')
  }
  const isCut = new Set<Circuit>()
  for (let step = 0; step < 60; step++) {
    const what = draw(10)
    const circuit = circuits[draw(Math.max(1, circuits.length))]
    if (what < 2) open()
    else if (what < 4) join()
    else if (what === 4 && circuits.length > 1 && circuit !== undefined) remove(circuit)
    else if (what === 5 && circuits.length > 1 && circuit !== undefined) {
      circuit.cut()
      isCut.add(circuit)
    } else if (what === 6) {
      for (const each of isCut) each.mend()
      isCut.clear()
    } else if (what === 7 && circuit !== undefined)
      legs.client.session.use(circuit.leg, draw(2) === 0 ? 'used' : 'reserve')
    else if (what > 7 && draw(3) === 0) reset(flows[draw(Math.max(1, flows.length))], what === 8)
    legs.client.wake()
    legs.exit.wake()
    legs.run(draw(400))
  }
  for (const each of isCut) each.mend()
  if (circuits.length === 0) join()
  const isOver = (): boolean => legs.client.session.streams === 0 && legs.exit.session.streams === 0
  const done = legs.world.run(isOver, legs.world.now + 120_000)
  const { client, exit, ends } = legs
  const state = JSON.stringify([seed, client.session.stats, exit.session.stats, ends, sizes(legs)])
  assert.deepEqual(ends, [], state)
  assert.ok(done, state)
  for (const flow of flows) {
    const far = atExit.get(flow.stream.id)
    assert.equal(flow.atClient.isWrong || far?.sink.isWrong === true, false, state)
    // Whole, or ended with a reason where somebody ended it.
    if (!flow.isReset) assert.deepEqual([flow.ends, far?.sink.received], [[], flow.up], state)
    if (flow.ends.length === 0) assert.equal(flow.atClient.received, flow.down, state)
  }
  assert.deepEqual([client.session.stats.memory, exit.session.stats.memory], [0, 0], state)
  return {
    streams: flows.length,
    reset: flows.filter(({ isReset }) => isReset).length,
    packets: client.session.stats.packetsSent + exit.session.stats.packetsSent,
    needed,
    timeouts: client.timeouts + exit.timeouts,
    ms: legs.world.now,
  }
}

function watched(stream: SessionStream, total: number, onEnd: (reason: string) => void): Sink {
  const sink = exchange(stream, total)
  const { handler } = stream
  let isReset = false
  stream.handler = {
    ...handler,
    onData: (chunk) => {
      if (!isReset) handler.onData?.(chunk)
    },
    onReset: (code) => {
      isReset = true
      onEnd(`reset ${code}`)
    },
  }
  return sink
}

function sizes({ client, exit }: SeveralLegs): unknown {
  const of = (leg: SessionLeg): unknown => [leg.id, leg.use, leg.isSilent, leg.recovery.inFlight, leg.recovery.lost]
  return [client.session.legs.map(of), exit.session.legs.map(of)]
}

/** Plays `runs` sessions, and checks how much was sent and how often timers went; the sums, and the worst of each. */
export function checkChaos(firstSeed: number, runs: number) {
  const sums = { streams: 0, reset: 0, packets: 0, needed: 0, timeouts: 0, ms: 0 }
  let [packetsOfNeeded, timeoutsOfMs] = [0, 0]
  for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
    const each = chaos(seed)
    for (const key of Object.keys(sums) as (keyof ChaosResult)[]) sums[key] += each[key]
    packetsOfNeeded = Math.max(packetsOfNeeded, each.packets / each.needed)
    timeoutsOfMs = Math.max(timeoutsOfMs, each.timeouts / each.ms)
    assert.ok(each.packets < 2.5 * each.needed + 1_000, `seed ${seed}: ${JSON.stringify(each)}`)
    // Of two sessions, whose timers are no finer than 1 ms.
    assert.ok(each.timeouts < each.ms, `seed ${seed}: ${JSON.stringify(each)}`)
  }
  return { ...sums, packetsOfNeeded, timeoutsOfMs }
}
