import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CircuitTable } from '../../src/circuit/circuit-table.ts'
import { FakeNetwork } from './fake-network.ts'

test('circuits are counted by link and by key, in any order, and nothing stays of a key without any', () => {
  const network = new FakeNetwork('')
  const links = Array.from({ length: 8 }, (_, at) => network.link(at < 4 ? 'C' : 'D', at % 2 === 0 ? 'a' : 'b', at))
  const step = fc.record({ link: fc.nat(7), circuitId: fc.integer({ min: 1, max: 6 }), adds: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const table = new CircuitTable<string>()
      const model = new Map<string, { readonly link: number; readonly circuitId: number }>()
      const check = (): void => {
        const of = (fits: (link: number) => boolean): number =>
          [...model.values()].filter((end) => fits(end.link)).length
        for (const [at, link] of links.entries()) {
          assert.equal(
            link.circuits,
            of((each) => each === at),
          )
          assert.equal(
            table.ofPeer(link.peerName),
            of((each) => links[each]?.peer === link.peer),
          )
        }
        assert.equal(table.peers, new Set([...model.values()].map((end) => links[end.link]?.peer)).size)
      }
      for (const { link, circuitId, adds } of steps) {
        const name = `${link} ${circuitId}`
        if (adds && !model.has(name)) {
          table.add(links[link]!, circuitId, name)
          model.set(name, { link, circuitId })
        } else if (!adds) {
          table.remove(links[link]!, circuitId)
          model.delete(name)
        }
        check()
      }
      for (const { link, circuitId } of model.values()) table.remove(links[link]!, circuitId)
      model.clear()
      check()
    }),
  )
})
