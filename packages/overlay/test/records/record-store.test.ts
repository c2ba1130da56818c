import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { VirtualClock, isWeftError, utf8 } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { create, RecordSchema } from '@weft/wire'
import fc from 'fast-check'
import { makeImmutable, makeMutable } from '../../src/records/record.ts'
import { recordQuorum } from '../../src/records/quorum.ts'
import { RecordNetwork, type NetworkNode } from './record-network.ts'

const HOUR = 3_600_000
const salt = utf8('test')
const later = (): number => Date.now() + HOUR
const rejects = (promise: Promise<unknown>, code: string): Promise<void> =>
  assert.rejects(
    promise,
    (error: unknown) => isWeftError(error, code) || assert.fail(`${String(error)} in place of ${code}`),
  )

describe('record store', () => {
  it('writes to a quorum and reads back, as client and as holder', async () => {
    await using network = await RecordNetwork.of(10)
    const [holder, client] = [network.nodes[0]!, network.nodes[10]!]
    const owner = SigningKey.generate()
    const put = await client.store.putMutable({ owner, salt, sequence: 1, expiresAt: later(), value: utf8('one') })
    assert.deepEqual([put.required, put.holders], [7, 10])
    for (const node of [holder, client]) {
      const got = await node.store.getMutable(owner.publicKey, salt)
      assert.deepEqual([Buffer.from(got.value).toString(), got.sequence, got.quorum], ['one', 1, true])
    }
    const immutable = await client.store.putImmutable(utf8('fixed'), later())
    assert.deepEqual(Buffer.from((await holder.store.get(immutable.key)).value).toString(), 'fixed')
  })

  it('reads from whom it does not hold to be down, and writes to all', async () => {
    // On a clock that stands still no pause ends, after which a read would ask everybody.
    await using network = await RecordNetwork.of(10, 1, new VirtualClock(Date.now()))
    const client = network.nodes[10]!
    for (const { key } of network.nodes.slice(0, 3)) network.suspects.add(key.id)
    const asked = { put: new Set<string>(), get: new Set<string>() }
    network.fate = (_from, to, method) => {
      asked[method === 'record.put' ? 'put' : 'get'].add(to)
      return 'arrives'
    }
    const owner = SigningKey.generate()
    await client.store.putMutable({ owner, salt, sequence: 1, expiresAt: later(), value: utf8('one') })
    assert.equal(asked.put.size, 10)
    for (let turn = 0; turn < 10; turn++) assert.ok((await client.store.getMutable(owner.publicKey, salt)).quorum)
    assert.ok(asked.get.isDisjointFrom(network.suspects))
  })

  it('does not take the word of one holder that a record has expired', async () => {
    await using network = await RecordNetwork.of(10)
    const client = network.nodes[10]!
    const value = utf8('fixed')
    const expiresAt = later()
    const { key } = await client.store.putImmutable(value, expiresAt)
    const lie = makeImmutable(value, 1).message
    const record = makeImmutable(value, expiresAt).message
    const { promise: liesAreIn, resolve } = Promise.withResolvers<void>()
    for (const [at, node] of network.nodes.slice(0, 10).entries()) {
      node.override.set('record.get', async () => {
        if (at > 0) await liesAreIn
        // After the client has read it.
        else setImmediate(resolve)
        return { record: at > 0 ? record : lie }
      })
    }
    assert.deepEqual((await client.store.get(key)).value, value)
  })

  it('refuses older and forked sequences, takes the same again and a longer life', async () => {
    await using network = await RecordNetwork.of(4)
    const { store } = network.nodes[4]!
    const owner = SigningKey.generate()
    const expiresAt = later()
    await store.putMutable({ owner, salt, sequence: 5, expiresAt, value: utf8('five') })
    await rejects(store.putMutable({ owner, salt, sequence: 4, expiresAt, value: utf8('four') }), 'E_RECORD_CONFLICT')
    await rejects(store.putMutable({ owner, salt, sequence: 5, expiresAt, value: utf8('fork') }), 'E_RECORD_CONFLICT')
    await store.putMutable({ owner, salt, sequence: 5, expiresAt, value: utf8('five') })
    await store.putMutable({ owner, salt, sequence: 5, expiresAt: expiresAt + HOUR, value: utf8('five') })
    await store.putMutable({ owner, salt, sequence: 5, expiresAt, value: utf8('five') })
    const got = await store.getMutable(owner.publicKey, salt)
    assert.deepEqual([Buffer.from(got.value).toString(), got.expiresAt], ['five', expiresAt + HOUR])
  })

  it('refuses what is too large, expired or too far off before it asks anybody', async () => {
    await using network = await RecordNetwork.of(4)
    const { store } = network.nodes[4]!
    const owner = SigningKey.generate()
    await rejects(store.putImmutable(new Uint8Array(64 * 1024 + 1), later()), 'E_RECORD_TOO_LARGE')
    await rejects(store.putImmutable(utf8('x'), Date.now() - 1), 'E_RECORD_EXPIRED')
    await rejects(store.putImmutable(utf8('x'), Date.now() + 401 * 24 * HOUR), 'E_RECORD_LIFETIME')
    await rejects(
      store.putMutable({ owner, salt: new Uint8Array(65), sequence: 1, expiresAt: later(), value: utf8('x') }),
      'E_RECORD_INVALID',
    )
    assert.equal(network.calls, 0)
    await store.putImmutable(new Uint8Array(64 * 1024), later())
  })

  it('says who is silent, keeps reading without a quorum, and never writes without one', async () => {
    await using network = await RecordNetwork.of(10)
    const { store } = network.nodes[10]!
    const owner = SigningKey.generate()
    await store.putMutable({ owner, salt, sequence: 1, expiresAt: later(), value: utf8('one') })
    for (const node of network.nodes.slice(0, 4)) await network.stop(node)
    const got = await store.getMutable(owner.publicKey, salt)
    assert.deepEqual([got.quorum, got.answered, got.required, got.sequence], [false, 6, 7, 1])
    await assert.rejects(
      store.putMutable({ owner, salt, sequence: 2, expiresAt: later(), value: utf8('two') }),
      (error: unknown) => {
        assert.ok(isWeftError(error, 'E_RECORD_QUORUM'))
        assert.match(error.cause, /^6 of 10 holders have the record on disk, 7 are needed/)
        assert.equal((error.details['failed'] as unknown[]).length, 4)
        assert.match(error.cause, new RegExp(network.nodes[0]!.key.id.slice(-8)))
        return true
      },
    )
    await rejects(store.getMutable(owner.publicKey, utf8('other')), 'E_RECORD_UNAVAILABLE')
  })

  it('tells not found from unavailable, and no members from both', async () => {
    await using network = await RecordNetwork.of(4)
    const { store } = network.nodes[4]!
    await rejects(store.get(new Uint8Array(32)), 'E_RECORD_NOT_FOUND')
    network.setMembers([])
    await using empty = await RecordNetwork.of(0)
    await rejects(empty.nodes[0]!.store.get(new Uint8Array(32)), 'E_RECORD_UNAVAILABLE')
    await rejects(empty.nodes[0]!.store.putImmutable(utf8('x'), later()), 'E_RECORD_QUORUM')
  })

  it('ignores wrong keys, forged signatures and stale answers of f hostile holders', async () => {
    await using network = await RecordNetwork.of(10)
    const { store } = network.nodes[10]!
    const owner = SigningKey.generate()
    const stale = makeMutable({ owner, salt, sequence: 1, expiresAt: later(), value: utf8('stale') })
    const forged = makeMutable({
      owner: SigningKey.generate(),
      salt,
      sequence: 9,
      expiresAt: later(),
      value: utf8('forged'),
    })
    assert.ok(forged.message.kind.case === 'mutable')
    const stolen = create(RecordSchema, {
      kind: { case: 'mutable', value: { ...forged.message.kind.value, owner: owner.publicKey } },
    })
    await store.putMutable({ owner, salt, sequence: 1, expiresAt: later(), value: utf8('stale') })
    await store.putMutable({ owner, salt, sequence: 2, expiresAt: later(), value: utf8('new') })
    for (const [at, record] of [forged.message, stolen, stale.message].entries()) {
      network.nodes[at]!.override.set('record.get', async () => ({ record }))
    }
    // A client that has seen nothing yet has only the quorum to go by.
    const stranger = await network.add(false)
    for (let i = 0; i < 5; i++) {
      const got = await stranger.store.getMutable(owner.publicKey, salt)
      assert.deepEqual([Buffer.from(got.value).toString(), got.quorum], ['new', true])
    }
  })

  it('never goes back behind what it has seen, even when all holders do, and after a restart', async () => {
    await using network = await RecordNetwork.of(4)
    const client = network.nodes[4]!
    const owner = SigningKey.generate()
    const stale = makeMutable({ owner, salt, sequence: 1, expiresAt: later(), value: utf8('stale') })
    await client.store.putMutable({ owner, salt, sequence: 2, expiresAt: later(), value: utf8('new') })
    for (const node of network.nodes.slice(0, 4))
      node.override.set('record.get', async () => ({ record: stale.message }))
    await rejects(client.store.getMutable(owner.publicKey, salt), 'E_RECORD_ROLLBACK')
    await network.stop(client)
    await network.restart(client, false)
    await rejects(client.store.getMutable(owner.publicKey, salt), 'E_RECORD_ROLLBACK')
  })

  it('prefers the acknowledged value of a fork, and refuses a fork without one', async () => {
    await using network = await RecordNetwork.of(4)
    const { store } = network.nodes[4]!
    const owner = SigningKey.generate()
    const fork = makeMutable({ owner, salt, sequence: 1, expiresAt: later(), value: utf8('fork') })
    await store.putMutable({ owner, salt, sequence: 1, expiresAt: later(), value: utf8('first') })
    network.nodes[0]!.override.set('record.get', async () => ({ record: fork.message }))
    for (let i = 0; i < 5; i++) {
      assert.equal(Buffer.from((await store.getMutable(owner.publicKey, salt)).value).toString(), 'first')
    }
    const third = makeMutable({ owner, salt, sequence: 1, expiresAt: later(), value: utf8('third') })
    network.nodes[1]!.override.set('record.get', async () => ({ record: third.message }))
    await network.stop(network.nodes[3]!)
    await rejects(store.getMutable(owner.publicKey, salt), 'E_RECORD_CONFLICT')
  })

  it('repairs holders that are behind after a read', async () => {
    await using network = await RecordNetwork.of(4)
    const client = network.nodes[4]!
    const owner = SigningKey.generate()
    const behind = network.nodes[0]!
    network.fate = (_from, to) => (to === behind.key.id ? 'unreachable' : 'arrives')
    await client.store.putMutable({ owner, salt, sequence: 1, expiresAt: later(), value: utf8('one') })
    network.fate = () => 'arrives'
    assert.equal(await holds(network, behind, owner.publicKey), undefined)
    // A read repairs those that it asked; each begins with another holder.
    await until(async () => {
      await client.store.getMutable(owner.publicKey, salt)
      return (await holds(network, behind, owner.publicKey)) === 1
    })
  })

  it('asks a quorum for what is mutable and two for what cannot change, and everyone only when it has to', async () => {
    // It stands still: nobody is late.
    const clock = new VirtualClock(Date.now())
    await using network = await RecordNetwork.of(10, 1, clock)
    const { store } = network.nodes[10]!
    const owner = SigningKey.generate()
    const expiresAt = clock.now() + HOUR
    await store.putMutable({ owner, salt, sequence: 1, expiresAt, value: utf8('one') })
    const fixed = await store.putImmutable(utf8('fixed'), expiresAt)
    const { key } = makeMutable({ owner, salt, sequence: 1, expiresAt, value: utf8('one') })
    // Calls of each of ten reads, which begin with another holder each.
    const calls = async (read: () => Promise<unknown>): Promise<number[]> => {
      const counts: number[] = []
      for (let i = 0; i < 10; i++) {
        const before = network.calls
        await read()
        counts.push(network.calls - before)
      }
      return counts
    }
    const each = (count: number): number[] => Array.from({ length: 10 }, () => count)
    // The puts return before the last holders have the record, and reads repair these.
    await until(async () => (await calls(() => store.getMutable(owner.publicKey, salt))).join() === each(7).join())
    await until(async () => (await calls(() => store.get(fixed.key))).join() === each(2).join())
    assert.deepEqual(await calls(() => store.get(key)), each(7))
    await network.stop(network.nodes[0]!)
    assert.equal(Math.max(...(await calls(() => store.getMutable(owner.publicKey, salt)))), 10)
    // One that failed is asked last from then on.
    assert.deepEqual(await calls(() => store.getMutable(owner.publicKey, salt)), each(7))
  })

  it('brings records to members that join, and finds them before they are there', async () => {
    await using network = await RecordNetwork.of(4)
    const { store } = network.nodes[4]!
    const owner = SigningKey.generate()
    await store.putMutable({ owner, salt, sequence: 1, expiresAt: later(), value: utf8('one') })
    for (let i = 0; i < 6; i++) await network.add(true)
    network.fate = (_from, _to, method) => (method === 'record.put' ? 'unreachable' : 'arrives')
    const members = [...network.nodes.slice(0, 4), ...network.nodes.slice(5)]
    network.setMembers(members)
    const got = await store.getMutable(owner.publicKey, salt)
    assert.deepEqual([got.sequence, got.quorum, got.required], [1, true, 7])
    network.fate = () => 'arrives'
    network.setMembers(members.slice(0, 9))
    const [joined] = network.nodes.slice(-2)
    await until(async () => (await holds(network, joined!, owner.publicKey)) === 1)
  })

  it('forgets what expired, and keeps it as a guard while an older version may still be valid', async () => {
    const clock = new VirtualClock(1_000_000)
    await using network = await RecordNetwork.of(4, 1, clock)
    const { store } = network.nodes[4]!
    const owner = SigningKey.generate()
    const old = { owner, salt, sequence: 1, expiresAt: clock.now() + 10 * HOUR, value: utf8('old') }
    await store.putMutable(old)
    await store.putMutable({ owner, salt, sequence: 2, expiresAt: clock.now() + HOUR, value: utf8('') })
    await clock.advance(2 * HOUR)
    await rejects(store.getMutable(owner.publicKey, salt), 'E_RECORD_NOT_FOUND')
    await rejects(store.putMutable(old), 'E_RECORD_CONFLICT')
    await clock.advance(9 * HOUR)
    await rejects(store.getMutable(owner.publicKey, salt), 'E_RECORD_NOT_FOUND')
  })

  it('ends at once when the caller aborts or the node closes', async () => {
    await using network = await RecordNetwork.of(4)
    const client = network.nodes[4]!
    for (const node of network.nodes.slice(0, 4)) node.override.set('record.get', () => new Promise(() => {}))
    await rejects(client.store.get(new Uint8Array(32), { signal: AbortSignal.abort() }), 'E_ABORTED')
    const controller = new AbortController()
    const pending = client.store.get(new Uint8Array(32), { signal: controller.signal })
    controller.abort()
    await rejects(pending, 'E_ABORTED')
    const closing = client.store.get(new Uint8Array(32))
    await Promise.all([rejects(closing, 'E_ABORTED'), client.scope.close()])
    client.up = false
  })

  // The state machine: one writer, any interleaving of writes, reads, lost messages, crashes of at most f, restarts.
  it(
    'keeps what it acknowledged and never rolls back, whatever is lost or crashes within f',
    { timeout: 120_000 },
    async () => {
      const step = fc.oneof(
        { weight: 4, arbitrary: fc.record({ op: fc.constant('write' as const), lost: fc.nat(3) }) },
        { weight: 4, arbitrary: fc.record({ op: fc.constant('read' as const), lost: fc.nat(2) }) },
        { weight: 2, arbitrary: fc.record({ op: fc.constant('crash' as const), node: fc.nat(6) }) },
        { weight: 1, arbitrary: fc.record({ op: fc.constant('restart' as const) }) },
      )
      // One network for all runs: its making is nearly all of what a run costs, and each run has an owner of its own.
      await using network = await RecordNetwork.of(7, 2)
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
          network.fate = () => 'arrives'
          for (const node of network.nodes) if (!node.up) await network.restart(node)
          const [writer, reader] = [network.nodes[7]!, network.nodes[8]!]
          const owner = SigningKey.generate()
          const down: NetworkNode[] = []
          const { faults } = recordQuorum(7)
          let sequence = 0
          let acknowledged = 0
          let seen = 0
          for (const action of steps) {
            if (action.op === 'crash' && down.length < faults) {
              const node = network.nodes[action.node]!
              if (node.up) {
                await network.stop(node)
                down.push(node)
              }
            } else if (action.op === 'restart') {
              const node = down.shift()
              if (node !== undefined) await network.restart(node)
            } else if (action.op === 'write') {
              let lost = action.lost
              network.fate = () => (lost-- > 0 ? 'lost' : 'arrives')
              sequence++
              try {
                await writer.store.putMutable({
                  owner,
                  salt,
                  sequence,
                  expiresAt: later(),
                  value: utf8(String(sequence)),
                })
                acknowledged = sequence
              } catch (error) {
                assert.ok(isWeftError(error, 'E_RECORD_QUORUM'), String(error))
              }
            } else if (action.op === 'read') {
              let lost = action.lost
              network.fate = () => (lost-- > 0 ? 'lost' : 'arrives')
              try {
                const got = await reader.store.getMutable(owner.publicKey, salt)
                assert.ok(got.sequence >= seen, `read ${got.sequence} after ${seen}`)
                if (got.quorum)
                  assert.ok(got.sequence >= acknowledged, `read ${got.sequence}, ${acknowledged} was acknowledged`)
                assert.equal(Buffer.from(got.value).toString(), String(got.sequence))
                seen = got.sequence
              } catch (error) {
                assert.ok(
                  isWeftError(error) && (error.code !== 'E_RECORD_NOT_FOUND' || acknowledged === 0),
                  String(error),
                )
              }
            }
          }
          network.fate = () => 'arrives'
          const last = await reader.store.getMutable(owner.publicKey, salt).catch((error: unknown) => {
            assert.ok(acknowledged === 0 || isWeftError(error, 'E_RECORD_ROLLBACK'), String(error))
          })
          if (last !== undefined) assert.ok(last.sequence >= acknowledged && last.quorum)
        }),
        { numRuns: Number(process.env['WEFT_LONG'] ?? 0) > 0 ? 500 : 25 },
      )
    },
  )
})

/** The sequence that one holder has on its own. */
async function holds(network: RecordNetwork, node: NetworkNode, owner: Uint8Array): Promise<number | undefined> {
  const before = network.fate
  const asker = await network.add(false)
  network.fate = (from, to, method) =>
    from === asker.key.id && to !== node.key.id ? 'unreachable' : before(from, to, method)
  try {
    return (await asker.store.getMutable(owner, salt)).sequence
  } catch {
    return undefined
  } finally {
    network.fate = before
    await network.stop(asker)
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, 'the condition did not come true in 20 s')
    await new Promise((resolve) => setImmediate(resolve))
  }
}
