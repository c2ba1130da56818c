import { type SignedEnvelope, fromDidKey } from '@weft/crypto'
import { encodeSignOfLife } from '../../src/liveness/sign-of-life.ts'
import { encodeSuspicion } from '../../src/liveness/suspicion.ts'
import type { LivenessSimulation } from './liveness-simulation.ts'
import { BEGIN, NETWORK } from './liveness-simulation.ts'

export interface Lies {
  /** Suspicions of everybody honest with every message, and as helpers. */
  readonly accuse: boolean
  /** Index of a node that they want to be held alive: they replay and forge signs of its life. */
  readonly vouchFor?: number
}

/** Makes nodes of a simulation lie about others wherever they may speak. */
export function liars(simulation: LivenessSimulation, hostile: ReadonlySet<number>, lies: Lies): void {
  const honest = simulation.nodes.filter(({ index }) => !hostile.has(index))
  /** The last true sign of life of each that passed by a liar. */
  const overheard = new Map<string, SignedEnvelope>()
  let turn = 0
  const suspicion = (liar: number, target: number): SignedEnvelope => {
    simulation.count.lies++
    const { id } = simulation.nodes[target] as (typeof simulation.nodes)[number]
    // In turn: the incarnation that it began with, one of just now, and one far ahead.
    const incarnation = BEGIN + [0, Math.floor(simulation.now), Math.floor(simulation.now) + 80_000][turn++ % 3]!
    const at = BEGIN + Math.floor(simulation.now)
    const body = { network: NETWORK, accused: fromDidKey(id), incarnation, at }
    return simulation.signatures(liar).sign('suspicion', encodeSuspicion(body))
  }
  const forged = (target: number, nonce: Uint8Array): SignedEnvelope => {
    simulation.count.lies++
    const { id } = simulation.nodes[target] as (typeof simulation.nodes)[number]
    const body = { network: NETWORK, incarnation: BEGIN + Math.floor(simulation.now) + 50_000, nonce }
    return { payload: encodeSignOfLife(body), signer: fromDidKey(id), signature: new Uint8Array(64).fill(1) }
  }
  simulation.inject = (from, to, answer) => {
    if (hostile.has(to))
      for (const envelope of answer.statements.alive) overheard.set(envelope.signer.toHex(), envelope)
    if (!hostile.has(from)) return answer
    const targets = [0, 1, 2].map((step) => (honest[(turn + step) % honest.length] as (typeof honest)[number]).index)
    const suspicions = lies.accuse
      ? targets.filter((target) => target !== lies.vouchFor).map((target) => suspicion(from, target))
      : []
    const alive = lies.vouchFor === undefined ? [] : [...overheard.values()].slice(0, 3)
    if (lies.vouchFor !== undefined) alive.push(forged(lies.vouchFor, new Uint8Array()))
    return { incarnation: answer.incarnation, statements: { alive, suspicions } }
  }
  simulation.lieAsHelper = (helper, target, nonce) => {
    if (!hostile.has(helper)) return undefined
    if (target === lies.vouchFor) return { alive: forged(target, nonce) }
    return { silent: suspicion(helper, target) }
  }
}
