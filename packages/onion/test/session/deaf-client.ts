import assert from 'node:assert/strict'
import { type DatagramChannel } from '../../src/session/datagram-channel.ts'
import { type MemoryBudget } from '../../src/session/memory-budget.ts'
import { RangeSet } from '../../src/session/range-set.ts'
import { loneSession } from './lone-channel.ts'
import { PAYLOAD } from './simulated-path.ts'

/** ms between two of the exit's turns. */
const STEP = 2
/** ms that the client takes for each ACK at first: evenly, so that the exit's window grows as for a long way. */
const DELAY = 1_500

/** A target that floods a client of an exit with datagrams of `length` bytes, which acknowledges them all, late, until it says nothing but PING. */
export function deafClient(memory: MemoryBudget, length: number) {
  let channel: DatagramChannel | undefined
  const target = { number: 0, host: '192.0.2.1', port: 9 }
  const lone = loneSession('exit', memory, (stream) => {
    channel = stream.channel
    stream.accept('0.0.0.0')
  })
  const { session, world, give } = lone
  give((w) => void w.openBare(0, 2))
  give((w) => void w.datagram(0, 0, target.port, target.host, new Uint8Array(1)))
  const flood = channel ?? assert.fail('no channel')
  const bytes = new Uint8Array(length)
  const payload = new Uint8Array(PAYLOAD)
  const received = new RangeSet()
  /** What left, as it reaches the client. */
  const onItsWay: { readonly at: number; readonly number: number }[] = []
  let packets = 0
  const turn = (): void => {
    world.now += STEP
    if (world.now >= (session.nextTimeout() ?? Infinity)) session.onTimeout()
    for (let sent = true; sent && session.state === 'open';) {
      while (flood.queue.size < 64 && flood.reply(target, target.host, bytes));
      sent = false
      for (let leg = session.next(); leg !== undefined; leg = session.next()) {
        onItsWay.push({ at: world.now + DELAY, number: session.fill(payload, leg) })
        packets++
        sent = true
      }
    }
  }
  const acknowledge = (): void => {
    let at = 0
    for (; (onItsWay[at]?.at ?? Infinity) <= world.now; at++) {
      const { number } = onItsWay[at] ?? assert.fail()
      received.add(number, number + 1)
    }
    if (at === 0) return
    onItsWay.splice(0, at)
    give((w) => void w.ack(received, 0))
  }
  return {
    ...lone,
    packets: () => packets,
    /** Until the window has not grown for a while. */
    grow: (): void => {
      for (let most = 0, since = 0; since < 4_000 / STEP; since++) {
        turn()
        acknowledge()
        const { cwnd } = session.stats
        if (cwnd <= most) continue
        most = cwnd
        since = 0
      }
    },
    /** A PING each second, and no ACK; `look` is called once a second. */
    ping: (seconds: number, look: () => void = () => {}): void => {
      for (let second = 0; second < seconds && session.state === 'open' && session.legs.length > 0; second++) {
        for (let step = 0; step < 1_000; step += STEP) turn()
        give((w) => void w.ping())
        look()
      }
    },
  }
}
