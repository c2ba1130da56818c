import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, systemRandom } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { answerChallenge } from '../../src/admission/challenge-responder.ts'
import { DialResponder } from '../../src/admission/dial-responder.ts'
import { AGREEING_DIALERS, dialersOf } from '../../src/admission/dialers-of.ts'
import { epochAt } from '../../src/network/epoch.ts'
import type { Network } from '../../src/network/network.ts'
import type { Probe } from '../../src/transport/transport.ts'
import { BEGIN, addressOf, advance, codeOf, testNetwork } from '../fixtures.ts'
import { MemoryNetwork } from '../memory-network.ts'

const fixture = testNetwork(4, 1)
const [validator, , , , applicant] = fixture.keys as [SigningKey, SigningKey, SigningKey, SigningKey, SigningKey]
const never = new AbortController().signal
const caller = { id: validator.id, address: '/ip4/127.0.0.1/tcp/1' }
/** The member that is asked. */
const self = new SigningKey(new Uint8Array(32).fill(77))
/** Of a network in the open. */
const open = {
  id: fixture.network.id,
  file: { ...fixture.network.file, simulated: undefined } as unknown as Network['file'],
  validators: [{ id: validator.id, addresses: ['/ip4/192.0.2.1/tcp/4780'], family: 'a', key: validator.publicKey }],
} as unknown as Network

interface Changes {
  nonce?: Uint8Array
  applicant?: Uint8Array
  by?: SigningKey
  epoch?: number
}

function responder(
  network: Pick<Network, 'id' | 'file' | 'validators'>,
  probe?: (address: string) => Promise<Probe>,
  members = 5,
) {
  const clock = new VirtualClock(BEGIN)
  const memory = new MemoryNetwork(clock)
  const dialled: string[] = []
  const prober = {
    probe: (address: string, id: `did:key:z${string}`): Promise<Probe> => {
      dialled.push(address)
      return probe === undefined ? memory.probe(address, id) : probe(address)
    },
  }
  const set = new DialResponder({ network, self: self.id, members: () => members, prober, clock })
  const ask = (address: string, changes: Changes = {}) => {
    const request = {
      nonce: changes.nonce ?? systemRandom.bytes(32),
      applicant: applicant.publicKey,
      address,
      epoch: BigInt(changes.epoch ?? epochAt(network.file, clock.now())),
    }
    const { id } = changes.by ?? validator
    return set.answer({ ...request, applicant: changes.applicant ?? request.applicant }, { ...caller, id }, never)
  }
  return { clock, memory, dialled, ask }
}

test('it dials the applicant as a stranger, and hands back what that signed for the validator', async () => {
  const { clock, memory, ask } = responder(fixture.network)
  const address = addressOf(4)
  memory.add(applicant.id, [address]).rpc.handle('admission.challenge', async (request, { id }) => {
    assert.notEqual(id, validator.id)
    return {
      answer: answerChallenge({ network: fixture.network, key: applicant, addresses: [address], clock }, request),
    }
  })
  const { answer } = await ask(address)
  assert.deepEqual(answer?.signer, applicant.publicKey)
})

test('of a dial that failed nothing is said', async () => {
  const { ask } = responder(fixture.network, () => Promise.reject(new Error('ECONNREFUSED by a secret service')))
  assert.deepEqual(await ask(addressOf(4)), {})
})

test('hosts that mean another machine here, and ports of other services, are not dialled', async () => {
  const { ask, dialled } = responder(open)
  const refused = [
    '/ip4/127.0.0.1/tcp/4780',
    '/ip4/10.0.0.1/tcp/4780',
    '/ip4/169.254.169.254/tcp/4780',
    '/ip6/::1/tcp/4780',
    '/ip4/198.51.100.7/tcp/25',
    '/dns4/example.org/tcp/4780',
    '/p2p/x/p2p-circuit',
    '',
  ]
  for (const address of refused) assert.equal(await codeOf(() => ask(address)), 'E_DIAL_REFUSED', address)
  assert.equal(await codeOf(() => ask('/ip4/198.51.100.7/tcp/4780', { nonce: new Uint8Array(31) })), 'E_DIAL_REFUSED')
  assert.equal(
    await codeOf(() => ask('/ip4/198.51.100.7/tcp/4780', { applicant: new Uint8Array(31) })),
    'E_DIAL_REFUSED',
  )
  assert.deepEqual(dialled, [])
  await ask('/ip4/198.51.100.7/tcp/4780')
  await ask('/ip4/198.51.100.7/tcp/443/ws')
  assert.equal(dialled.length, 2)
})

test('few dials run at once; a validator has so many, and a host takes so many, whoever asks', async () => {
  const silent = responder(open, () => new Promise(() => {}))
  const running = Array.from({ length: 4 }, () => silent.ask('/ip4/198.51.100.7/tcp/4780'))
  assert.equal(await codeOf(() => silent.ask('/ip4/198.51.100.8/tcp/4780')), 'E_DIAL_BUSY')
  await advance(silent.clock, 4_000)
  assert.deepEqual(await Promise.all(running), [{}, {}, {}, {}])

  const failing = (): ReturnType<typeof responder> => responder(open, () => Promise.reject(new Error('x')))
  const one = failing()
  for (let at = 0; at < 16; at++) await one.ask(`/ip4/203.0.113.${at}/tcp/4780`)
  assert.equal(await codeOf(() => one.ask('/ip4/203.0.113.99/tcp/4780')), 'E_DIAL_BUSY')
  await one.ask('/ip4/203.0.113.99/tcp/4780', { by: applicant })

  const many = failing()
  for (let at = 0; at < 16; at++)
    await many.ask('/ip4/203.0.113.1/tcp/4780', { by: fixture.keys[at % 4] as SigningKey })
  assert.equal(await codeOf(() => many.ask('/ip4/203.0.113.1/tcp/4780', { by: applicant })), 'E_DIAL_BUSY')
})

test('in a large network it dials the few hosts only for which it is drawn, in the epoch that it is', async () => {
  const { ask, dialled, clock } = responder(open, () => Promise.reject(new Error('x')), 10_000)
  const epoch = epochAt(open.file, clock.now())
  const hosts = Array.from({ length: 2_000 }, (_, at) => `198.51.${at >> 8}.${at & 255}`)
  const errand = { network: open.id, epoch, validator: validator.publicKey }
  const drawn = hosts.filter((host) => dialersOf({ ...errand, host }, 10_000, AGREEING_DIALERS)(self.publicKey))
  assert.ok(drawn.length > 0 && drawn.length < 16, `${drawn.length}`)
  for (const host of hosts) {
    const code = await codeOf(() => ask(`/ip4/${host}/tcp/4780`))
    assert.equal(code, drawn.includes(host) ? 'nothing' : 'E_DIAL_REFUSED', host)
  }
  assert.equal(dialled.length, drawn.length)
})

test('an epoch that is not now, or no number of one, is refused', async () => {
  const { ask, dialled, clock } = responder(open)
  const epoch = epochAt(open.file, clock.now())
  for (const other of [epoch - 2, epoch + 2, epoch + 100_000, Number.MAX_SAFE_INTEGER].filter((each) => each >= 0))
    assert.equal(await codeOf(() => ask('/ip4/198.51.100.7/tcp/4780', { epoch: other })), 'E_DIAL_REFUSED')
  assert.deepEqual(dialled, [])
})
