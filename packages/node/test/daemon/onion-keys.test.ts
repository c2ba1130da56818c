import assert from 'node:assert/strict'
import fs, {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Scope, VirtualClock, silentLogger, toHex } from '@weft/core'
import { type X25519KeyPair, x25519KeyPair } from '@weft/crypto'
import { OnionKeys } from '../../src/daemon/onion-keys.ts'
import { testDirectory } from '../support/test-daemon.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const OVERLAP = 2 * HOUR
const BEGIN = 1_800_000_000_000

interface Home {
  readonly directory: string
  readonly firstKey: string
  /** The keys as a daemon finds them that starts now. */
  open(clock: VirtualClock): OnionKeys
  /** As `open`, and erases. */
  start(clock: VirtualClock): OnionKeys
}

function homeOf(t: TestContext): Home {
  const home = testDirectory(t)
  const [directory, firstKey] = [join(home, 'onion'), join(home, 'onion.key')]
  const open = (clock: VirtualClock): OnionKeys =>
    new OnionKeys({ directory, firstKey, overlapMs: OVERLAP, clock, logger: silentLogger })
  const start = (clock: VirtualClock): OnionKeys => {
    const keys = open(clock)
    const scope = new Scope({ name: 'test' })
    t.after(() => scope.close())
    keys.start(scope)
    return keys
  }
  return { directory, firstKey, open, start }
}

/** What a map says of the node. */
function entry(onionKey: Uint8Array, expiresAt: number): Parameters<OnionKeys['listed']>[0] {
  return { packets: { addresses: [], linkKey: new Uint8Array(32).fill(1), onionKey }, expiresAt }
}

function hexes(pairs: readonly X25519KeyPair[]): string[] {
  return pairs.map(({ publicKey }) => toHex(publicKey))
}

/** The public halves of the secrets in the files. */
function onDisk({ directory }: Home): string[] {
  return readdirSync(directory)
    .map((name) => toHex(x25519KeyPair(new Uint8Array(readFileSync(join(directory, name)))).publicKey))
    .toSorted()
}

/** Applies, is certified for a day and listed. @returns the key */
function renew(keys: OnionKeys, clock: VirtualClock): Uint8Array {
  const key = keys.next()
  keys.certified(key, clock.now() + DAY)
  keys.listed(entry(key, clock.now() + DAY))
  return key
}

/** A home whose daemon had a first key, and another with a certificate that ends a ms later. */
function renewedHome(t: TestContext): { home: Home; old: Uint8Array; next: Uint8Array } {
  const home = homeOf(t)
  const clock = new VirtualClock(BEGIN)
  const keys = home.start(clock)
  const old = renew(keys, clock)
  const next = keys.next()
  keys.certified(next, BEGIN + DAY + 1)
  keys.listed(entry(next, BEGIN + DAY + 1))
  return { home, old, next }
}

test('a certificate has a key of its own, the same at each try, after a restart as well', (t) => {
  const [home, clock] = [homeOf(t), new VirtualClock(BEGIN)]
  const keys = home.start(clock)
  const first = keys.next()
  assert.deepEqual([keys.next(), home.open(clock).next()], [first, first])
  for (const name of readdirSync(home.directory)) assert.equal(statSync(join(home.directory, name)).mode & 0o777, 0o600)
  keys.certified(first, BEGIN + DAY)
  const second = keys.next()
  assert.notDeepEqual(second, first)
  assert.deepEqual([keys.next(), home.open(clock).next()], [second, second])
  assert.deepEqual(hexes(keys.pairs), [toHex(second), toHex(first)])
  assert.deepEqual(hexes(home.open(clock).pairs), hexes(keys.pairs), 'a restart finds all of them')
  assert.ok(keys.has(first) && keys.has(second) && !keys.has(new Uint8Array(32).fill(1)))
})

test('the key of before is good for the overlap after a map has the new one; then it is wiped, its file is gone, and all are told', async (t) => {
  const [home, clock] = [homeOf(t), new VirtualClock(BEGIN)]
  const keys = home.start(clock)
  const old = renew(keys, clock)
  const secret = keys.pairs[0]?.secretKey ?? assert.fail()
  assert.ok(secret.buffer instanceof SharedArrayBuffer, 'threads have no copies')
  await clock.advance(12 * HOUR)
  const told: string[][] = []
  keys.onChange((pairs) => told.push(hexes(pairs)))
  const next = keys.next()
  assert.deepEqual(told, [[toHex(next), toHex(old)]], 'before anybody else hears of it')
  const expiresAt = clock.now() + DAY
  keys.certified(next, expiresAt)
  // No map has it yet.
  await clock.advance(3 * HOUR)
  keys.listed(entry(old, BEGIN + DAY))
  assert.ok(keys.has(old))
  keys.listed(entry(next, expiresAt))
  await clock.advance(OVERLAP - 1)
  // Each map says so again, which is no reason to keep the old one for longer.
  keys.listed(entry(next, expiresAt))
  assert.ok(keys.has(old) && secret.some((byte) => byte !== 0))
  await clock.advance(1)
  assert.ok(!keys.has(old))
  assert.deepEqual(told.at(-1), [toHex(next)])
  assert.ok(secret.every((byte) => byte === 0))
  assert.deepEqual(onDisk(home), [toHex(next)])
})

test('a daemon that was away erases what is over once it knows its map, and not before', (t) => {
  const { home, old, next } = renewedHome(t)
  const keys = home.open(new VirtualClock(BEGIN + 3 * HOUR))
  assert.ok(keys.has(old), 'the map of before the restart may have it')
  keys.listed(entry(next, BEGIN + DAY + 1))
  keys.start(new Scope({ name: 'test' }))
  assert.deepEqual(hexes(keys.pairs), [toHex(next)])
  assert.deepEqual(onDisk(home), [toHex(next)])
})

test('a daemon whose map of before has the older key still keeps that, though its time was over', (t) => {
  const { home, old, next } = renewedHome(t)
  // The newer map was not kept. What is certified is told first.
  const keys = home.open(new VirtualClock(BEGIN + 3 * HOUR))
  keys.certified(next, BEGIN + DAY + 1)
  keys.listed(entry(old, BEGIN + DAY))
  keys.start(new Scope({ name: 'test' }))
  assert.deepEqual(hexes(keys.pairs), [toHex(next), toHex(old)])
})

test('a key that the map has is kept as long as that map may be used, though nobody renewed its certificate', async (t) => {
  const [home, clock] = [homeOf(t), new VirtualClock(BEGIN)]
  const keys = home.start(clock)
  const key = renew(keys, clock)
  await clock.advance(14 * DAY)
  assert.ok(keys.has(key))
  await clock.advance(DAY + OVERLAP)
  assert.ok(!keys.has(key))
  assert.equal(onDisk(home).length, 1, 'there is one to apply with')
})

test('a node that the map lacks keeps its key until its certificate ends, and the overlap', async (t) => {
  const [home, clock] = [homeOf(t), new VirtualClock(BEGIN)]
  const keys = home.start(clock)
  const key = renew(keys, clock)
  keys.listed(undefined)
  await clock.advance(DAY + OVERLAP - 1)
  assert.ok(keys.has(key))
  await clock.advance(1)
  assert.ok(!keys.has(key))
})

test('a proposer may list the older certificate once more: its key is kept from then on', async (t) => {
  const [home, clock] = [homeOf(t), new VirtualClock(BEGIN)]
  const keys = home.start(clock)
  const old = renew(keys, clock)
  await clock.advance(HOUR)
  const next = renew(keys, clock)
  await clock.advance(OVERLAP - 1)
  keys.listed(entry(old, BEGIN + DAY))
  await clock.advance(HOUR)
  assert.ok(keys.has(old) && keys.has(next))
  keys.listed(entry(next, BEGIN + HOUR + DAY))
  await clock.advance(OVERLAP)
  assert.ok(!keys.has(old) && keys.has(next))
})

test('a certificate without packets leaves the keys of before for the overlap', async (t) => {
  const [home, clock] = [homeOf(t), new VirtualClock(BEGIN)]
  const keys = home.start(clock)
  const old = renew(keys, clock)
  keys.listed({ expiresAt: BEGIN + DAY + 1 })
  await clock.advance(OVERLAP)
  assert.ok(!keys.has(old))
})

test('the key of a home of before is used until the next renewal', (t) => {
  const [home, clock] = [homeOf(t), new VirtualClock(BEGIN)]
  const secret = new Uint8Array(32).fill(5)
  writeFileSync(home.firstKey, secret, { mode: 0o600 })
  const { publicKey } = x25519KeyPair(secret.slice())
  const keys = home.start(clock)
  assert.ok(!existsSync(home.firstKey))
  assert.deepEqual(hexes(keys.pairs), [toHex(publicKey)])
  // As of the certificate of before the restart; or of the first one, where there is none.
  assert.deepEqual(keys.next(), publicKey)
  keys.certified(publicKey, BEGIN + DAY)
  assert.notDeepEqual(keys.next(), publicKey)
})

test('many certificates within an overlap have no end of keys, and none of them goes early', (t) => {
  const [home, clock] = [homeOf(t), new VirtualClock(BEGIN)]
  const keys = home.start(clock)
  const all = Array.from({ length: 40 }, () => toHex(renew(keys, clock)))
  assert.equal(new Set(all).size, 16)
  assert.equal(onDisk(home).length, 16)
  for (const key of all) assert.ok(keys.has(Uint8Array.fromHex(key)))
})

/** What changes files. */
const WRITES = ['openSync', 'writeSync', 'fsyncSync', 'chmodSync', 'renameSync', 'unlinkSync', 'rmSync'] as const

/** Of the calls that change files the first ones pass, all behind them fail: as after a crash, or on a disk that fails. */
class FailingDisk implements Disposable {
  calls = 0
  readonly #originals = WRITES.map((name) => [name, fs[name]] as const)

  constructor(passing: number) {
    for (const [name, original] of this.#originals)
      Object.assign(fs, {
        [name]: (...args: never[]) => {
          if (this.calls++ >= passing) throw Object.assign(new Error('the disk is gone'), { code: 'EIO' })
          return (original as (...all: never[]) => unknown)(...args)
        },
      })
    syncBuiltinESMExports()
  }

  [Symbol.dispose](): void {
    for (const [name, original] of this.#originals) Object.assign(fs, { [name]: original })
    syncBuiltinESMExports()
  }
}

test('where nothing can be written the certificate keeps its key, and what cannot be removed is wiped in memory and removed later', async (t) => {
  const [home, clock] = [homeOf(t), new VirtualClock(BEGIN)]
  const keys = home.start(clock)
  const old = renew(keys, clock)
  {
    using _ = new FailingDisk(0)
    assert.deepEqual(keys.next(), old)
  }
  await clock.advance(1)
  const next = renew(keys, clock)
  const secret = keys.pairs[1]?.secretKey ?? assert.fail()
  {
    using _ = new FailingDisk(0)
    await clock.advance(OVERLAP)
    assert.ok(!keys.has(old) && secret.every((byte) => byte === 0))
  }
  assert.equal(onDisk(home).length, 2)
  await clock.advance(60_000)
  assert.deepEqual(onDisk(home), [toHex(next)])
})

test('two certificates of one epoch end together: the key that the map names no more goes after the overlap all the same', async (t) => {
  const [home, clock] = [homeOf(t), new VirtualClock(BEGIN)]
  const keys = home.start(clock)
  const one = renew(keys, clock)
  const other = renew(keys, clock)
  await clock.advance(OVERLAP)
  assert.deepEqual([keys.has(one), keys.has(other)], [false, true])
  assert.deepEqual(onDisk(home), [toHex(other)])
})

test('a key that cannot be erased does not keep those after it', async (t) => {
  const [home, clock] = [homeOf(t), new VirtualClock(BEGIN)]
  const keys = home.start(clock)
  renew(keys, clock)
  const stuck = join(home.directory, readdirSync(home.directory)[0] ?? assert.fail())
  // A directory cannot be opened for writing.
  rmSync(stuck)
  mkdirSync(stuck)
  await clock.advance(HOUR)
  renew(keys, clock)
  await clock.advance(OVERLAP)
  const third = renew(keys, clock)
  await clock.advance(OVERLAP)
  const left = readdirSync(home.directory, { withFileTypes: true }).filter((file) => file.isDirectory())
  assert.equal(left.length, 1)
  for (const { name } of left) rmdirSync(join(home.directory, name))
  assert.deepEqual(onDisk(home), [toHex(third)])
})

test('a file that others may read is refused', (t) => {
  const [home, clock] = [homeOf(t), new VirtualClock(BEGIN)]
  home.open(clock)
  const [name] = readdirSync(home.directory) as [string]
  chmodSync(join(home.directory, name), 0o644)
  assert.throws(() => home.open(clock), { code: 'E_KEY_FILE' })
})

test('a crash at any step leaves all keys that a map may have, none that was erased, and nothing half done', async (t) => {
  const secret = new Uint8Array(32).fill(5)
  const { publicKey: first } = x25519KeyPair(secret.slice())
  for (let step = 0; ; step++) {
    const home = homeOf(t)
    const clock = new VirtualClock(BEGIN)
    writeFileSync(home.firstKey, secret, { mode: 0o600 })
    let second: Uint8Array | undefined
    let [isOver, isWhole] = [false, false]
    {
      using disk = new FailingDisk(step)
      try {
        const keys = home.start(clock)
        assert.deepEqual(renew(keys, clock), first)
        second = keys.next()
        // Where it could not be kept the certificate has the key of before.
        keys.certified(second, BEGIN + DAY + 1)
        keys.listed(entry(second, BEGIN + DAY + 1))
        await clock.advance(OVERLAP - 1)
        assert.ok(keys.has(first))
        await clock.advance(1)
        isOver = true
      } catch (error) {
        // Of the start: the daemon says so and ends.
        assert.match(String(error), /the disk is gone/)
      }
      isWhole = disk.calls <= step
    }
    if (isWhole) {
      assert.ok(step > 20, `${step} steps`)
      assert.deepEqual(onDisk(home), [toHex(second ?? assert.fail())])
      return
    }
    const left = existsSync(home.directory) ? readdirSync(home.directory) : []
    const keys = home.open(new VirtualClock(clock.now()))
    const names = readdirSync(home.directory)
    const words = `step ${step}: ${left.join(' ')} became ${names.join(' ')}`
    assert.ok(
      names.every((name) => /^[0-9a-f]{64}(\.\d+)?\.key$/.test(name)),
      words,
    )
    assert.deepEqual(onDisk(home), hexes(keys.pairs).toSorted(), words)
    assert.deepEqual(names.map((name) => name.slice(0, 64)).toSorted(), onDisk(home), words)
    assert.ok(!existsSync(home.firstKey), words)
    if (!isOver) assert.ok(keys.has(first), words)
    if (second !== undefined) assert.ok(keys.has(second), words)
    // What the one before did not get done, this one does.
    keys.listed(entry(second ?? first, BEGIN + DAY + 1))
    const later = home.start(new VirtualClock(BEGIN + 2 * OVERLAP))
    later.listed(entry(second ?? first, BEGIN + DAY + 1))
    // One that no certificate has may wait for the next.
    const used = readdirSync(home.directory).filter((name) => /\.\d+\.key$/.test(name))
    assert.deepEqual(
      used.map((name) => name.slice(0, 64)),
      [toHex(second ?? first)],
      words,
    )
    assert.ok(later.pairs.length <= 2, words)
    assert.deepEqual(onDisk(home), hexes(later.pairs).toSorted(), words)
  }
})
