import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CircuitLink } from '../../src/circuit/circuit-link.ts'
import { DEFAULT_CIRCUIT_LIMITS } from '../../src/circuit/circuit-limits.ts'
import { CircuitPurpose } from '../../src/circuit/purpose.ts'
import { CircuitReason } from '../../src/circuit/reasons.ts'
import { type RelayCircuit } from '../../src/circuit/relay-circuit.ts'
import { RelayExtensions, type RelayExtensionsOptions } from '../../src/circuit/relay-extensions.ts'

const key = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
const [OWN, BEFORE, OTHER, STRANGER] = [key(1), key(2), key(3), key(4)]
/** A member's link key is none of its node key's business. */
const LINK_OF = new Map([BEFORE, OTHER].map((id) => [String(key((id[0] as number) + 100)), id]))

interface Asked {
  readonly from?: Uint8Array
  readonly purpose?: CircuitPurpose
  readonly depth?: number
}

/** Node 1 is asked to extend a circuit; what it answers, and whom it wanted a link to. */
function asked(next: Uint8Array, { from = key(102), purpose = CircuitPurpose.hop, depth = 1 }: Asked = {}) {
  const called: number[] = []
  const said: unknown[] = []
  const link = { peerName: 'next', sendMessage: () => true } as unknown as CircuitLink
  const options = {
    id: OWN,
    limits: DEFAULT_CIRCUIT_LIMITS,
    shared: { content: new Uint8Array(1404) },
    table: { ofPeer: () => 0, addNew: () => 7, remove: () => {} },
    isMember: (peer: Uint8Array) => LINK_OF.get(String(peer)),
    nextHop: (id: Uint8Array) => {
      called.push(id[0] as number)
      return link
    },
  } as unknown as RelayExtensionsOptions
  const circuit = {
    purpose,
    depth,
    previous: { peerKey: from },
    sendControl: (control: unknown) => void said.push(control),
  } as unknown as RelayCircuit
  const message = new Uint8Array(200)
  message.set(next)
  new RelayExtensions(options).extend(circuit, message)
  return { called, said }
}

const REFUSED = { called: [], said: [{ kind: 'failed', reason: CircuitReason.malformed }] }

test('a node extends a circuit to another member', () => {
  assert.deepEqual(asked(OTHER), { called: [3], said: [] })
})

test('a node extends no circuit to itself', () => {
  assert.deepEqual(asked(OWN), REFUSED)
  assert.deepEqual(asked(OWN, { from: STRANGER, depth: 0 }), REFUSED)
})

test('a node extends no circuit to the member that it came from; a client in front of it is none', () => {
  assert.deepEqual(asked(BEFORE), REFUSED)
  assert.deepEqual(asked(BEFORE, { from: STRANGER, depth: 0 }), { called: [2], said: [] })
})

test('a circuit that ends here, or has five hops, is extended to nobody', () => {
  assert.deepEqual(asked(OTHER, { purpose: CircuitPurpose.session }), REFUSED)
  assert.deepEqual(asked(OTHER, { depth: 4 }), REFUSED)
  assert.deepEqual(asked(OTHER, { depth: 3 }), { called: [3], said: [] })
})
