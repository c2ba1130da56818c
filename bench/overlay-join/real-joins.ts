import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { toHex } from '@weft/core'
import { LocalNetwork } from '../../packages/overlay/test/local-network.ts'
import { until } from '../../packages/overlay/test/until.ts'
import type { Join } from './join.ts'
import type { JoiningNode } from './joining-process.ts'

/** Nodes that are there, four of them validators, in one process. */
export const REAL_THERE = 8
export const REAL_MAP_EPOCH_MS = 5_000
const VALIDATORS = 4
/** ms until those that are there know each other, on a machine that has other things to do. */
const PATIENCE_MS = 300_000

/** What a process of its own took; beside it one that does not join. */
export interface RealJoin extends Join {
  /** ms from the start of the process until its program was loaded. */
  readonly load: number
}

/** Nodes in processes of their own that join a network on loopback, one after the other. */
export async function realJoins(count: number): Promise<readonly RealJoin[]> {
  await using network = await LocalNetwork.create(REAL_THERE + count, VALIDATORS, REAL_MAP_EPOCH_MS)
  const nodes = await Promise.all(Array.from({ length: REAL_THERE }, (_, index) => network.start(index)))
  for (const { overlay } of nodes) {
    await until(overlay, 'all in the map', () => overlay.membership.members().length === REAL_THERE, PATIENCE_MS)
  }
  const joins: RealJoin[] = []
  for (let index = REAL_THERE; index < REAL_THERE + count; index++) {
    const load = await ask<number>('load')
    joins.push({ load, ...(await ask<Join>(nodeOf(network, index))) })
  }
  return joins
}

function nodeOf(network: LocalNetwork, index: number): JoiningNode {
  return {
    network: network.file,
    seed: toHex(network.key(index).seed()),
    port: network.port(index),
    family: `family-${index}`,
    directory: network.directory(index),
  }
}

async function ask<Reply>(what: JoiningNode | 'load'): Promise<Reply> {
  const child = fork(join(import.meta.dirname, 'joining-process.ts'), { serialization: 'advanced' })
  child.send(what)
  const ended = once(child, 'exit').then(() => [{ error: 'the process ended' }])
  const [reply] = (await Promise.race([once(child, 'message'), ended])) as [Reply | { readonly error: string }]
  await ended
  if (typeof reply === 'object' && reply !== null && 'error' in reply) throw new TypeError(String(reply.error))
  return reply
}
