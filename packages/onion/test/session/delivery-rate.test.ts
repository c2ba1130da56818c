import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DeliveryRate, type RateSample } from '../../src/session/delivery-rate.ts'
import { SentPackets } from '../../src/session/sent-packets.ts'
import { ampleMemory } from './memory-rig.ts'

/** Packets that leave and are acknowledged when told. */
class Flow {
  readonly sent = new SentPackets(ampleMemory())
  readonly rate = new DeliveryRate(this.sent)
  #inFlight = 0

  send(count: number, now: number): void {
    for (let i = 0; i < count; i++) {
      this.sent.commit(true, 0, now)
      this.rate.onSent(this.#inFlight++, now)
    }
  }

  lose(count: number): void {
    this.#inFlight -= count
    for (let i = 0; i < count; i++) this.rate.onLost()
  }

  ack(from: number, to: number, now: number, minRtt = 1): RateSample {
    for (let sequence = from; sequence <= to; sequence++) {
      this.#inFlight--
      this.rate.onAcked(sequence, now)
    }
    return this.rate.take(now, minRtt, { rtt: minRtt, inFlight: this.#inFlight, isWindowLimited: true })
  }

  limit(): void {
    this.rate.onLimited(this.#inFlight)
  }
}

/** One packet a ms, each acknowledged 10 ms later, of which `pause` at once. */
function paced(pause: number): readonly RateSample[] {
  const flow = new Flow()
  const samples: RateSample[] = []
  let acked = 0
  for (let now = 0; now < 200; now++) {
    flow.send(1, now)
    const due = now - 10
    if (due >= 0 && (due + 1) % pause === 0) {
      samples.push(flow.ack(acked, due, now, 10))
      acked = due + 1
    }
  }
  return samples
}

test('packets that are sent and acknowledged evenly come through at the rate at which they are sent', () => {
  for (const { rate } of paced(1).slice(20)) assert.ok(Math.abs(rate - 1) < 0.11, `${rate}`)
})

test('ACKs that come in bunches make no path faster', () => {
  for (const { rate } of paced(8).slice(4)) assert.ok(rate <= 1.8, `${rate}: never what a bunch would say`)
})

test('a burst that is acknowledged at once says no more than its round trip', () => {
  const flow = new Flow()
  flow.send(10, 0)
  const { rate, delivered, priorDelivered, flightAtSend } = flow.ack(0, 9, 20, 20)
  assert.deepEqual([rate, delivered, priorDelivered, flightAtSend], [10 / 20, 10, 0, 10])
})

test('an interval that is shorter than any round trip says nothing', () => {
  const flow = new Flow()
  flow.send(1, 0)
  assert.equal(flow.ack(0, 0, 5, 20).rate, 0)
})

test('samples of a sender that had too little to send say so, until what was sent then has come through', () => {
  const flow = new Flow()
  flow.send(2, 0)
  flow.limit()
  flow.send(2, 1)
  assert.equal(flow.ack(0, 1, 20).isLimited, false, 'sent before')
  assert.equal(flow.ack(2, 3, 21).isLimited, true)
  flow.send(2, 30)
  assert.equal(flow.ack(4, 5, 50).isLimited, false)
})

test('losses are counted between the sending of a packet and its ACK', () => {
  const flow = new Flow()
  flow.send(10, 0)
  flow.lose(3)
  flow.send(1, 5)
  assert.equal(flow.ack(3, 9, 20).lost, 3)
  assert.equal(flow.ack(10, 10, 25).lost, 0)
})
