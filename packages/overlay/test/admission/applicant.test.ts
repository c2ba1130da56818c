import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, WeftError } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import { decodeApplication } from '../../src/admission/application.ts'
import { MembershipDatabase } from '../../src/state/membership-database.ts'
import { type Network, networkOf } from '../../src/network/network.ts'
import { BEGIN, EPOCH, advance, profileOf, temporaryDirectory, testKeys, testNetwork } from '../fixtures.ts'
import { MemoryNetwork } from '../memory-network.ts'
import { applicantOf } from './applicant-of.ts'
import { ATTESTER, attestedFor } from '../resources/any-resources.ts'

const TTL = 24 * 3_600_000
const fixture = testNetwork(4, 1)
const key = fixture.keys[4] as SigningKey

/** Four validators that vote for whatever is asked, and an applicant with its state directory. */
function setUp(directory: string, start = BEGIN + 1_000, profile = profileOf(fixture, 4), known = fixture.network) {
  const clock = new VirtualClock(start)
  const network = new MemoryNetwork(clock)
  const database = new MembershipDatabase(directory)
  const node = network.add(key.id)
  const submitted = new Map<string, number>()
  const validators = fixture.keys.slice(0, 4).map((validator) => {
    const member = network.add(validator.id)
    member.rpc.handle('admission.apply', async ({ application }) => {
      const { bodyBytes } = decodeApplication(application?.payload as Uint8Array)
      return { vote: { signer: validator.publicKey, signature: validator.sign('vote', bodyBytes) } }
    })
    member.rpc.handle('admission.submit', async () => {
      submitted.set(validator.id, (submitted.get(validator.id) ?? 0) + 1)
      return {}
    })
    return member
  })
  const running = applicantOf({
    network: known,
    key,
    profile,
    rpc: node.rpc,
    database,
    clock,
  })
  return {
    clock,
    known,
    network,
    validators,
    applicant: running.applicant,
    submitted,
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      database[Symbol.dispose]()
    },
  }
}

function applications(network: MemoryNetwork): number {
  return network.calls.filter(({ method }) => method === 'admission.apply').length
}

function refuse(code: string, retryable = false): () => Promise<never> {
  return () => Promise.reject(new WeftError({ code, cause: 'why', fix: 'how', retryable }))
}

test('a quorum of votes makes a certificate, and every validator gets it', async () => {
  using directory = temporaryDirectory()
  await using set = setUp(directory.path)
  await advance(set.clock, 10)
  assert.equal(set.applicant.state().state, 'certified')
  assert.ok((set.applicant.certificate?.votes.length ?? 0) >= 3)
  assert.equal(set.submitted.size, 4)
})

test('an attestation that would end before the certificate is declared in it, and one that holds is attested, also after a restart', async () => {
  const attesting = networkOf({ ...fixture.network.file, attesters: [ATTESTER.id] })
  const begin = BEGIN + 1_000
  const certified = async (notAfter: number): Promise<string | undefined> => {
    using directory = temporaryDirectory()
    const energy = attestedFor({ network: attesting.id, key: key.publicKey }, { carbon: 24, notAfter })
    const profile = { ...profileOf(fixture, 4), network: attesting.id, resources: { site: 'home', energy } } as const
    let evidence: string | undefined
    for (const asked of [1, 0]) {
      await using set = setUp(directory.path, begin, profile, attesting)
      await advance(set.clock, 10)
      assert.equal(applications(set.network) > 0, asked === 1)
      evidence = set.applicant.certificate?.body.resources?.energy?.evidence
    }
    return evidence
  }
  assert.equal(await certified(BEGIN + TTL), 'attested')
  assert.equal(await certified(BEGIN + TTL - 1), 'declared')
})

test('one validator may be down; two may not, and the node says how it stands and goes on', async () => {
  using directory = temporaryDirectory()
  await using set = setUp(directory.path)
  const [first, second] = set.validators as [(typeof set.validators)[0], (typeof set.validators)[0]]
  first.online = false
  second.online = false
  await advance(set.clock, 10)
  const state = set.applicant.state()
  assert.equal(state.state, 'applying')
  assert.ok(state.state === 'applying')
  assert.deepEqual([state.votes, state.quorum], [2, 3])
  assert.deepEqual(
    state.faults.map(({ code }) => code),
    ['E_NODE_UNREACHABLE', 'E_NODE_UNREACHABLE'],
  )
  first.online = true
  await advance(set.clock, 60_000)
  assert.equal(set.applicant.state().state, 'certified')
})

test('refused for good by so many that no quorum is left: refused, with the reasons and the time of the next try', async () => {
  using directory = temporaryDirectory()
  await using set = setUp(directory.path)
  for (const { rpc } of set.validators.slice(0, 2)) rpc.handle('admission.apply', refuse('E_CLOCK_SKEW'))
  await advance(set.clock, 10)
  const state = set.applicant.state()
  assert.ok(state.state === 'refused')
  assert.equal(state.fault.code, 'E_CLOCK_SKEW')
  assert.match(state.fault.cause, /2 of 4 validators refused/)
  assert.equal(state.faults.length, 2)
  assert.ok(state.retryAt > BEGIN)
})

test('what may pass by itself is no refusal, whatever its code; what may not is one, though its code sounds passing', async () => {
  for (const code of [
    'E_METHOD_NOT_OFFERED',
    'E_NETWORK_MISMATCH',
    'E_STREAM_RESET',
    'E_PEER_BUSY',
    'E_SOMETHING_NEW',
  ]) {
    using directory = temporaryDirectory()
    await using set = setUp(directory.path)
    for (const { rpc } of set.validators) rpc.handle('admission.apply', refuse(code, true))
    await advance(set.clock, 10)
    const state = set.applicant.state()
    assert.ok(state.state === 'applying', `${code} was taken for a refusal`)
    assert.deepEqual(Object.keys(state.faults[0] ?? {}).toSorted(), ['cause', 'code', 'fix', 'validator'])
    for (const { rpc } of set.validators) rpc.handle('admission.apply', refuse('E_METHOD_UNKNOWN'))
    await advance(set.clock, 10_000)
    assert.equal(set.applicant.state().state, 'refused')
  }
})

test('retries back off', async () => {
  using directory = temporaryDirectory()
  await using set = setUp(directory.path)
  for (const validator of set.validators) validator.online = false
  await advance(set.clock, 600_000)
  const waiting = applications(set.network) / 4
  assert.ok(waiting >= 80 && waiting <= 125, `${waiting} tries in ten minutes without validators`)
  for (const validator of set.validators) {
    validator.online = true
    validator.rpc.handle('admission.apply', refuse('E_ADMISSION_PLACE'))
  }
  await advance(set.clock, 600_000)
  const refused = applications(set.network) / 4 - waiting
  assert.ok(refused >= 6 && refused <= 12, `${refused} tries in ten minutes of refusals`)
})

test('a vote that is not a valid signature of that validator does not count', async () => {
  using directory = temporaryDirectory()
  await using set = setUp(directory.path)
  const [liar] = fixture.keys as [SigningKey]
  for (const { rpc } of set.validators.slice(1, 3)) {
    rpc.handle('admission.apply', async ({ application }) => {
      const { bodyBytes } = decodeApplication(application?.payload as Uint8Array)
      return { vote: { signer: liar.publicKey, signature: liar.sign('application', bodyBytes) } }
    })
  }
  await advance(set.clock, 10)
  const state = set.applicant.state()
  assert.ok(state.state === 'refused')
  assert.equal(state.fault.code, 'E_SIGNATURE_INVALID')
})

test('the certificate is renewed once, in the middle third of its life, and the old one is in force meanwhile', async () => {
  using directory = temporaryDirectory()
  await using set = setUp(directory.path)
  await advance(set.clock, 10)
  const before = set.applicant.certificate
  const begin = applications(set.network)
  await advance(set.clock, TTL / 3 - 10_000)
  assert.equal(applications(set.network), begin)
  await advance(set.clock, TTL / 3 + 10_000)
  assert.equal(applications(set.network), begin + 4)
  assert.ok((set.applicant.certificate?.body.issuedEpoch ?? 0) > (before?.body.issuedEpoch ?? 0))
})

test('a renewal that nobody grants leaves the certificate until its end, and says so behind it', async () => {
  using directory = temporaryDirectory()
  await using set = setUp(directory.path)
  await advance(set.clock, 10)
  for (const { rpc } of set.validators) rpc.handle('admission.apply', refuse('E_ADMISSION_UNREACHABLE'))
  await advance(set.clock, TTL - 60_000)
  assert.equal(set.applicant.state().state, 'certified')
  await advance(set.clock, 120_000)
  assert.equal(set.applicant.state().state, 'refused')
})

test('after a restart the certificate is used again; not when the node wants to be something else', async () => {
  using directory = temporaryDirectory()
  {
    await using set = setUp(directory.path)
    await advance(set.clock, 10)
  }
  {
    await using again = setUp(directory.path, BEGIN + 60_000)
    await advance(again.clock, 10)
    assert.equal(again.applicant.state().state, 'certified')
    assert.equal(applications(again.network), 0)
    assert.equal(again.submitted.size, 4, 'it is submitted again')
  }
  {
    const profile = { ...profileOf(fixture, 4), roles: ['storage', 'relay'] as const }
    await using other = setUp(directory.path, BEGIN + 60_000, profile)
    await advance(other.clock, 10)
    assert.equal(applications(other.network), 4)
  }
  await using late = setUp(directory.path, BEGIN + 2 * TTL)
  await advance(late.clock, 10)
  assert.equal(applications(late.network), 4, 'an expired one is not used')
})

test('a validator that was down gets the certificate with a later map; all get it again when the map lacks the node', async () => {
  using directory = temporaryDirectory()
  await using set = setUp(directory.path)
  const last = set.validators[3] as (typeof set.validators)[0]
  last.online = false
  await advance(set.clock, 10)
  assert.equal(set.submitted.get(last.id), undefined)
  last.online = true
  await set.applicant.resubmit(true, new AbortController().signal)
  assert.deepEqual([...set.submitted.values()], [1, 1, 1, 1])
  await set.applicant.resubmit(false, new AbortController().signal)
  assert.deepEqual([...set.submitted.values()], [2, 2, 2, 2])
})

test('when others have the seats, a submission that is under way does not keep them from being told', async () => {
  using directory = temporaryDirectory()
  await using set = setUp(directory.path, BEGIN + 1_000, profileOf(fixture, 4), networkOf(fixture.network.file))
  const [slow] = set.validators as [(typeof set.validators)[0]]
  const { promise: answered, resolve } = Promise.withResolvers<object>()
  slow.rpc.handle('admission.submit', () => answered)
  await advance(set.clock, 10)
  const told: string[] = []
  const validators = testKeys(4).map(({ id }) => ({ id, addresses: ['/ip4/127.0.0.1/tcp/1'], family: id }))
  for (const { id } of validators)
    set.network.add(id).rpc.handle('admission.submit', async () => {
      told.push(id)
      return {}
    })
  set.known.begin({ number: 1, fromEpoch: 3, rotation: 0, validators })
  const onTerm = set.applicant.onTerm(new AbortController().signal)
  resolve({})
  await onTerm
  await advance(set.clock, 10)
  assert.deepEqual(told.toSorted(), validators.map(({ id }) => id).toSorted())
})

test('a certificate that the new term makes wrong is renewed when it begins: of a seat that is new, or of those before', async () => {
  const others = testKeys(3)
  const beginning = (known: Network, keys: readonly SigningKey[]): void =>
    known.begin({
      number: 1,
      fromEpoch: 30,
      rotation: 0,
      validators: keys.map(({ id }) => ({ id, addresses: ['/ip4/127.0.0.1/tcp/1'], family: id })),
    })
  const cases: readonly (readonly [string, readonly SigningKey[], number, boolean])[] = [
    ['it has a seat', [key, ...others], BEGIN + 1_000, true],
    ['nothing is wrong with it', testKeys(4), BEGIN + 1_000, false],
    ['those who voted had no seats any more', testKeys(4), BEGIN + 40 * EPOCH, true],
  ]
  for (const [name, keys, start, isRenewed] of cases) {
    using directory = temporaryDirectory()
    await using set = setUp(directory.path, start, profileOf(fixture, 4), networkOf(fixture.network.file))
    await advance(set.clock, 10)
    for (const one of keys) {
      if (one === key) continue
      const { rpc } = set.network.add(one.id)
      rpc.handle('admission.apply', async ({ application }) => {
        const { bodyBytes } = decodeApplication(application?.payload as Uint8Array)
        return { vote: { signer: one.publicKey, signature: one.sign('vote', bodyBytes) } }
      })
      rpc.handle('admission.submit', async () => ({}))
    }
    const before = set.applicant.certificate
    assert.ok(before !== undefined)
    beginning(set.known, keys)
    await advance(set.clock, Math.max(0, BEGIN + 30 * EPOCH - start) + 20)
    const after = set.applicant.certificate
    assert.equal(after !== before, isRenewed, name)
    assert.equal(after?.body.roles.includes('validator'), keys.includes(key), name)
    if (isRenewed) assert.ok((after?.body.issuedEpoch ?? 0) >= 30, name)
  }
})

test('votes of validators whose seats turn out to be others’ make no certificate, and the node applies to those', async () => {
  using directory = temporaryDirectory()
  const start = BEGIN + 40 * EPOCH
  const known = networkOf(fixture.network.file)
  await using set = setUp(directory.path, start, profileOf(fixture, 4), known)
  const others = testKeys(4)
  for (const one of others) {
    const { rpc } = set.network.add(one.id)
    rpc.handle('admission.apply', async ({ application }) => {
      const { bodyBytes } = decodeApplication(application?.payload as Uint8Array)
      return { vote: { signer: one.publicKey, signature: one.sign('vote', bodyBytes) } }
    })
    rpc.handle('admission.submit', async () => ({}))
  }
  const validators = others.map(({ id }) => ({ id, addresses: ['/ip4/127.0.0.1/tcp/1'], family: id }))
  // The calls to those of the file are under way.
  known.begin({ number: 1, fromEpoch: 30, rotation: 0, validators })
  await advance(set.clock, 2_000)
  const { certificate } = set.applicant
  assert.ok(certificate !== undefined)
  const seats = new Set(others.map(({ publicKey }) => Buffer.from(publicKey).toString('hex')))
  assert.ok(certificate.votes.every(({ signer }) => seats.has(Buffer.from(signer).toString('hex'))))
})
