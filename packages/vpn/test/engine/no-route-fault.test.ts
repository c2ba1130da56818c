import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noRouteFault } from '../../src/engine/no-route-fault.ts'
import { waitingFault } from '../../src/engine/waiting-fault.ts'

const LAST = { code: 'E_CIRCUIT_ENDED', cause: 'The exit was lost.', fix: 'Nothing to do: another route is taken.' }
const BRIDGE = { code: 'E_BRIDGE_NONE', cause: 'Its bridge does not work (E_BRIDGE_REFUSED).', fix: 'Ask for a line.' }

test('without a route nobody is told that another one is taken', () => {
  const { code, cause, fix } = noRouteFault(LAST, undefined)
  assert.equal(code, 'E_ROUTE_NONE')
  assert.match(cause, /The exit was lost/)
  assert.doesNotMatch(fix, /another route is taken|vpn\.carriage|bridge/)
})

test('where no entry answers, the fix is what may be in the way', () => {
  const way = { setting: 'auto', byBridges: false, bridgeFault: undefined } as const
  assert.match(noRouteFault(LAST, way).fix, /clock of this machine.*weft bridge add/)
  assert.match(noRouteFault(LAST, { ...way, setting: 'tls' }).fix, /weft bridge add/)
  assert.match(noRouteFault(LAST, { ...way, setting: 'udp' }).fix, /vpn\.carriage = "auto"/)
  // By bridges packets go in TLS, whatever is set.
  const byBridge = noRouteFault(LAST, { ...way, setting: 'udp', byBridges: true })
  assert.match(byBridge.fix, /weft bridge show/)
  assert.doesNotMatch(byBridge.fix, /vpn\.carriage|weft bridge add/)
  assert.deepEqual(noRouteFault(LAST, { ...way, byBridges: true, bridgeFault: BRIDGE }), BRIDGE)
})

test('a machine that sends nothing is told what opens it', () => {
  const fault = waitingFault(LAST)
  assert.deepEqual([fault.code, fault.cause], [LAST.code, LAST.cause])
  assert.ok(fault.fix.startsWith(LAST.fix))
  assert.match(fault.fix, /nothing leaves this machine; weft vpn down opens it/)
})
