import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WeftError, seededRandom } from '@weft/core'
import { SigningKey, sha256 } from '@weft/crypto'
import { AuditAnswerSchema, decodeMessage, encodeMessage } from '@weft/wire'
import { provesWrong } from '../../src/audit/audit-evidence.ts'
import { HELD, LOST } from '../../src/audit/judge-item.ts'
import { openManifest } from '../../src/audit/signed-audit.ts'
import { sealedLength } from '../../src/object/object-layout.ts'
import { ObjectRecords } from '../../src/object/object-records.ts'
import { storageClass } from '../../src/object/storage-class.ts'
import { type AuditNode, AuditNetwork, type Behaviour } from './audit-network.ts'

const NAMED = ['missing', 'missing', 'missing']

test('an honest holder is found to keep all, by three auditors, and has their receipts', async () => {
  await using network = await AuditNetwork.of(9)
  for (let seed = 0; seed < 5; seed++) await network.put(seed, 30_000)
  const [a, b] = [await network.epoch(), await network.epoch()]
  for (const holder of network.holders) {
    for (const epoch of [a, b]) assert.deepEqual(network.verdicts(holder, epoch), ['kept', 'kept', 'kept'])
    const own = holder.audits.own()
    assert.equal(own.length, 6)
    for (const { verdict, shards, leaves, asked, kept } of own) {
      assert.deepEqual([verdict, shards, leaves], ['kept', 5, 15])
      assert.equal(kept, asked)
    }
    // In the second epoch what others' records name is asked for as well.
    assert.ok(own.some(({ asked }) => asked > 15))
  }
})

test('a holder without a shard is audited, too, and keeps what it has', async () => {
  await using network = await AuditNetwork.of(9)
  const epoch = await network.epoch()
  assert.deepEqual(network.verdicts(network.holders[0]!, epoch), ['kept', 'kept', 'kept'])
})

test('a corrupter is named in the same epoch: bytes that changed on its disk are not what their owner signed', async () => {
  await using network = await AuditNetwork.of(9)
  const { key, shards, holders } = await network.put(1, 30_000)
  const corrupter = holders[3]!
  await corrupter.store!.release(key.publicKey)
  const changed = shards[3]!.slice()
  changed[5000]! ^= 1
  const name = { object: key.publicKey, segment: 0, index: 3 }
  await network.store(corrupter, name, changed, network.clock.now() + 86_400_000)
  const epoch = await network.epoch()
  assert.deepEqual(network.verdicts(corrupter, epoch), NAMED)
  assert.deepEqual(network.verdicts(holders[2]!, epoch), ['kept', 'kept', 'kept'])
})

test('a holder that dropped a shard and left it out of its manifest is named in the next epoch, by records of others', async () => {
  await using network = await AuditNetwork.of(9)
  const put = []
  for (let seed = 0; seed < 4; seed++) put.push(await network.put(seed, 9_000))
  const dropper = network.holders[4]!
  await dropper.store!.release(put[2]!.key.publicKey)
  const first = await network.epoch()
  assert.deepEqual(network.verdicts(dropper, first), ['kept', 'kept', 'kept'])
  const second = await network.epoch()
  assert.ok(network.verdicts(dropper, second).includes('missing'), network.verdicts(dropper, second).join())
})

/** Makes a holder answer what a test makes of its honest answer, and sign that. */
function forging(node: AuditNode, forge: (answer: ReturnType<typeof decode>) => void): Behaviour {
  return async (method, _request, honest) => {
    const said = (await honest()) as { body: Uint8Array; signature: Uint8Array }
    if (method !== 'audit.answer') return said
    const answer = decode(said.body)
    forge(answer)
    const body = encodeMessage(AuditAnswerSchema, answer)
    return { body, signature: node.key.sign('audit-answer', body) }
  }
}

function decode(body: Uint8Array) {
  return decodeMessage(AuditAnswerSchema, body, 128 * 1024)
}

test('a holder never signs that it has what the record of the owner does not say of it', async () => {
  await using network = await AuditNetwork.of(10)
  const { key, shards, roots, holders } = await network.put(1, 30_000)
  const records = new ObjectRecords(network.records, network.clock)
  const expiresAt = network.clock.now() + 86_400_000
  const [right, otherBytes, otherHolder] = holders as [AuditNode, AuditNode, AuditNode]
  const states = new Map(holders.map(({ id }) => [id, new Set<number>()]))
  for (const holder of holders) {
    holder.behaves = async (method, _request, honest) => {
      const said = (await honest()) as { body: Uint8Array }
      if (method === 'audit.answer') for (const { state } of decode(said.body).items) states.get(holder.id)!.add(state)
      return said
    }
  }
  // An owner that makes liars of its holders: it puts bytes, and signs a record of others, or of another holder.
  const liar = new SigningKey(seededRandom(77).bytes(32))
  const object = liar.publicKey
  for (const [index, holder] of holders.entries()) {
    await holder.store!.release(key.publicKey)
    await network.store(holder, { object, segment: 0, index }, shards[index]!, expiresAt)
  }
  const sealed = sealedLength(30_000)
  const tenth = network.holders[9]!
  const placed = holders.map((holder, index) => {
    const node = holder === otherHolder ? tenth : holder
    const root = holder === otherBytes ? sha256(roots[index]!) : roots[index]!
    return { index, node: node.id, nodeKey: node.key.publicKey, root }
  })
  await records.writeHead(liar, { class: storageClass('tiny'), sealed }, expiresAt)
  const segment = { index: 0, length: sealed, shardLength: shards[0]!.length, shards: placed }
  await records.writeSegment(liar, segment, expiresAt)
  await network.epoch()
  assert.deepEqual([...states.get(right.id)!], [HELD])
  assert.deepEqual([...states.get(otherBytes.id)!], [LOST])
  assert.deepEqual([...states.get(otherHolder.id)!], [LOST])
})

test('a liar is named in the same epoch, with evidence that anybody can check', async () => {
  await using network = await AuditNetwork.of(9)
  await network.put(1, 30_000)
  const lies: ((answer: ReturnType<typeof decode>) => void)[] = [
    ({ items }) => void (items[0]!.data = items[0]!.data.map((byte) => byte ^ 1)),
    ({ items }) => void (items[0]!.path = items[0]!.path.slice(32)),
    ({ items }) => void (items[0]!.length += 1n),
    ({ items }) => void (items[0]!.position += 1n),
    ({ items }) => void (items[0]!.name!.index ^= 1),
    ({ items }) => void (items[0]!.state = 2),
    ({ items }) => void (items[0]!.state = 9),
    ({ items }) => void (items[1]!.data = items[0]!.data),
  ]
  for (const [at, lie] of lies.entries()) network.holders[at]!.behaves = forging(network.holders[at]!, lie)
  const epoch = await network.epoch()
  for (const at of lies.keys()) {
    const liar = network.holders[at]!
    assert.deepEqual(network.verdicts(liar, epoch), ['wrong', 'wrong', 'wrong'], `lie ${at}`)
    const evidence = network.validators.map(({ audits }) => audits.evidence(epoch, liar.id)).find((one) => one)!
    const drawn = network.beacon(Number(openManifest(evidence.manifest, liar.id).beacon) + 1).value
    assert.ok(provesWrong(evidence, liar.id, 'test-net', drawn))
    assert.ok(!provesWrong(evidence, liar.id, 'other-net', drawn))
    assert.throws(() => provesWrong(evidence, network.holders[8]!.id, 'test-net', drawn), { code: 'E_AUDIT_STATEMENT' })
  }
  assert.deepEqual(network.verdicts(network.holders[8]!, epoch), ['kept', 'kept', 'kept'])
})

test('a withholder is silent only after it was asked three times more; it may answer at the last one', async () => {
  await using network = await AuditNetwork.of(9)
  await network.put(1, 30_000)
  const [withholder, slow] = network.holders as [AuditNode, AuditNode]
  const refuse = (): never => {
    throw new WeftError({ code: 'E_NODE_UNREACHABLE', cause: 'test', fix: 'none', retryable: true })
  }
  let asked = 0
  withholder.behaves = async () => (asked++, refuse())
  const attempts = new Map<string, number>()
  slow.behaves = async (method, _request, honest, from) => {
    if (method === 'audit.receipt') return honest()
    const made = (attempts.get(from) ?? 0) + 1
    attempts.set(from, made)
    return made <= 3 ? refuse() : honest()
  }
  const epoch = await network.epoch()
  assert.deepEqual(network.verdicts(withholder, epoch), ['silent', 'silent', 'silent'])
  // Three auditors ask four times each, and each wants to hand over a receipt.
  assert.equal(asked, 15)
  assert.deepEqual(network.verdicts(slow, epoch), ['kept', 'kept', 'kept'])
})

test('without beacons nobody is audited, and nobody is silent', async () => {
  await using network = await AuditNetwork.of(9)
  await network.put(1, 30_000)
  network.hasBeacons = false
  const epoch = await network.epoch()
  for (const holder of network.holders) assert.deepEqual(network.verdicts(holder, epoch), [])
})

test('an object that is removed, or a record that its owner changes, costs no honest holder anything', async () => {
  await using network = await AuditNetwork.of(9)
  const removed = await network.put(1, 30_000)
  const forged = await network.put(2, 30_000)
  const kept = await network.put(3, 30_000)
  let changed = false
  const epoch = await network.epoch(async (map) => {
    if (changed || map < 2) return
    changed = true
    const { key, holders } = removed
    for (const holder of holders) await holder.store!.remove(key.publicKey, 'owner', network.clock.now() + 1e9)
    await network.records.putMutable({
      owner: key,
      salt: new TextEncoder().encode('head'),
      sequence: 2,
      expiresAt: network.clock.now() + 1e9,
      value: new Uint8Array(0),
    })
    // Its owner put other bytes than its record says: the holder is no liar.
    const name = { object: forged.key.publicKey, segment: 0, index: 0 }
    await holders[0]!.store!.release(name.object)
    await network.store(holders[0]!, name, seededRandom(1).bytes(forged.shards[0]!.length), network.clock.now() + 1e10)
  })
  for (const holder of kept.holders) {
    for (const verdict of network.verdicts(holder, epoch)) assert.ok(['kept', 'missing'].includes(verdict), verdict)
    if (holder !== kept.holders[0]) assert.ok(!network.verdicts(holder, epoch).includes('missing'))
  }
})
