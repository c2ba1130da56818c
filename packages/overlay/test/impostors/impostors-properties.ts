import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CertificateSchema, encodeMessage } from '@weft/wire'
import type { MapCheck } from '../../src/map/map-checks.ts'
import { CERTIFICATE_ATTEMPTS } from './certificate-attempts.ts'
import { type Attempt, Doors, type Outcome } from './doors.ts'
import { HANDSHAKE_ATTEMPTS } from './handshake-attempts.ts'
import { ImpostorScene } from './impostor-scene.ts'
import { MAP_ATTEMPTS, rightChanges, sent, sentFirst } from './map-attempts.ts'

const KINDS = Object.entries({ ...CERTIFICATE_ATTEMPTS, ...MAP_ATTEMPTS, ...HANDSHAKE_ATTEMPTS })

/** What became of the attempts of one kind. */
export interface Tally {
  accepted: number
  /** The original in another envelope. */
  right: number
  readonly refused: Map<string, number>
}

/** That many attempts, of all kinds alike, against the doors of a network. By kind. */
export async function attemptAll(
  count: number,
  seed: number,
  checks?: readonly MapCheck[],
): Promise<ReadonlyMap<string, Tally>> {
  const scene = new ImpostorScene(seed)
  const doors = await Doors.open(scene, checks)
  const tallies = new Map<string, Tally>(KINDS.map(([kind]) => [kind, { accepted: 0, right: 0, refused: new Map() }]))
  for (let at = 0; at < count; at++) {
    const [kind, make] = KINDS[at % KINDS.length] as (typeof KINDS)[number]
    note(tallies.get(kind) as Tally, await doors.enter(await make(scene, doors)))
  }
  return tallies
}

/** Nobody gets in by so many attempts, and whoever has the right does. */
export function testImpostors(count: number, seed: number): void {
  test(`of ${count.toLocaleString('en')} attempts none makes a member of whom no quorum certified`, async (t) => {
    const tallies = await attemptAll(count, seed)
    for (const [kind, { accepted, right, refused }] of tallies) {
      const codes = [...refused].map(([code, times]) => `${code} ${times}`)
      t.diagnostic(`${kind}: accepted ${accepted}; the original in another envelope ${right}; ${codes.join(', ')}`)
      assert.equal(accepted, 0, kind)
      assert.ok(refused.size > 0, `${kind}: some were refused`)
    }
    const all = [...tallies.values()].reduce((sum, { right, refused }) => sum + right + total(refused), 0)
    assert.equal(all, count)
  })

  test('what the attempts are made of is taken as it is', async () => {
    const scene = new ImpostorScene(seed)
    const doors = await Doors.open(scene)
    const rights: Record<string, Attempt> = {
      certificate: {
        door: 'certificate',
        bytes: encodeMessage(CertificateSchema, scene.newcomer),
      },
      map: sent(scene.next),
      'map of all validators': sent(scene.map(scene.nextBodies, scene.nextEpoch, scene.present)),
      'first map': sentFirst(scene.next),
      changes: rightChanges(scene),
    }
    for (const [id, bytes] of doors.hosts) rights[`handshake of ${id}`] = { door: 'handshake', bytes }
    for (const [name, right] of Object.entries(rights)) assert.equal(await doors.enter(right), 'right', name)
  })
}

function note(tally: Tally, outcome: Outcome): void {
  if (outcome === 'accepted' || outcome === 'right') tally[outcome]++
  else tally.refused.set(outcome.refused, (tally.refused.get(outcome.refused) ?? 0) + 1)
}

function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0)
}
