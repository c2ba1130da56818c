import type { Fault } from '@weft/core'
import { shortId } from '@weft/crypto'
import type { RouteMember } from '../route/route-member.ts'
import type { HopRole, RouteEventKind } from '../vpn.ts'
import type { ToldEvent } from './route-log.ts'

type Hops = readonly RouteMember[]

/** A hop that an event is about. */
export interface ToldHop {
  readonly node: RouteMember
  readonly role: HopRole
}

const NOTHING_TO_DO = 'Nothing to do.'

export function legReady(hops: Hops): ToldEvent {
  return event('ready', { code: 'ROUTE_READY', cause: `A leg over ${named(hops)} is ready.`, fix: NOTHING_TO_DO })
}

/** @param why a sentence @param hop that was the cause, where it is known */
export function legsMoved(legs: readonly Hops[], why: string, hop: ToldHop | undefined): ToldEvent {
  const over = legs.map(named).join(' and ')
  const cause = `Connections go over ${over} now. ${why}`
  return event('moved', { code: 'ROUTE_MOVED', cause, fix: 'Nothing to do: no connection was ended by it.' }, hop)
}

export function exitChanged(exit: RouteMember): ToldEvent {
  const cause = `New connections leave the network at …${shortId(exit.id)} from now on.`
  return event('moved', { code: 'ROUTE_MOVED', cause, fix: NOTHING_TO_DO }, { node: exit, role: 'exit' })
}

/** It was time for other legs. */
export function routeRotated(hops: Hops): ToldEvent {
  return rotated(hops, 'it was time for other legs')
}

/** What is asked of routes has changed. */
export function routeChanged(hops: Hops): ToldEvent {
  return rotated(hops, 'the profile was changed')
}

function rotated(hops: Hops, why: string): ToldEvent {
  const exit = hops.at(-1) as RouteMember
  const cause = `New connections go over ${named(hops)} to …${shortId(exit.id)} from now on, as ${why}.`
  const fix = 'Nothing to do: connections that stand stay where they are.'
  return event('rotated', { code: 'ROUTE_ROTATED', cause, fix }, { node: exit, role: 'exit' })
}

/** A tunnel goes over another path set: a channel of its own, with another address. */
export function machineMoved(hops: Hops): ToldEvent {
  const exit = hops.at(-1) as RouteMember
  const cause = `What the whole machine sends goes over ${named(hops)} to …${shortId(exit.id)} from now on.`
  const fix =
    'Programs connect again: connections that the machine had through the tunnel have ended with their address.'
  return event('moved', { code: 'ROUTE_MOVED', cause, fix }, { node: exit, role: 'exit' })
}

/** @param beforeMs and ms: there and back to the exit */
export function routeImproved(hops: Hops, beforeMs: number, ms: number): ToldEvent {
  const exit = hops.at(-1) as RouteMember
  const cause = `New connections go to …${shortId(exit.id)}, ${Math.round(ms)} ms there and back in place of ${Math.round(beforeMs)}.`
  const fix = 'Nothing to do: connections that stand stay where they are.'
  return event('improved', { code: 'ROUTE_IMPROVED', cause, fix }, { node: exit, role: 'exit' })
}

export function legSilent(hops: Hops, hop: ToldHop | undefined): ToldEvent {
  const fault = {
    code: 'E_ROUTE_SILENT',
    cause: `Nothing comes back from the exit ${lastOf(hops)} over ${named(hops)}.`,
    fix: 'Nothing to do: other legs carry, where there are any. weft vpn route shows them.',
  }
  return event('lost', fault, hop)
}

export function legLost(fault: Fault, hop: ToldHop | undefined): ToldEvent {
  return event('lost', fault, hop)
}

export function legBack(hops: Hops): ToldEvent {
  const cause = `What was missing over ${named(hops)} comes back.`
  return event('back', { code: 'ROUTE_BACK', cause, fix: NOTHING_TO_DO })
}

export function hopDegraded(hop: ToldHop, reason: string): ToldEvent {
  const fault = {
    code: 'E_HOP_DEGRADED',
    cause: `The ${hop.role} …${shortId(hop.node.id)} is not well: ${reason}.`,
    fix: 'Nothing to do: another leg carries, where one is better. weft vpn route --verify shows what each hop counted.',
  }
  return event('degraded', fault, hop)
}

/** Circuits that go on from this entry are lost too often. */
export function guardDoubted(node: RouteMember): ToldEvent {
  const fault = {
    code: 'E_GUARD_DOUBTED',
    cause: `Half and more of the circuits behind the entry …${shortId(node.id)} were lost, and not behind other entries.`,
    fix: 'Nothing to do: new connections begin at other guards of this node. weft vpn route --why shows them.',
  }
  return event('degraded', fault, { node, role: 'entry' })
}

export function hopBack(hop: ToldHop): ToldEvent {
  const cause = `The ${hop.role} …${shortId(hop.node.id)} is as well as before.`
  return event('back', { code: 'ROUTE_BACK', cause, fix: NOTHING_TO_DO }, hop)
}

/** @param why ends the sentence */
export function legReplaced(by: Hops, before: Hops, why: string): ToldEvent {
  const cause = `A leg over ${named(by)} took the place of that over ${named(before)}, which ${why}.`
  return event('improved', { code: 'ROUTE_IMPROVED', cause, fix: 'Nothing to do: no connection was ended by it.' })
}

export function routesBlocked(fault: Fault): ToldEvent {
  return event('blocked', fault)
}

function event(kind: RouteEventKind, { code, cause, fix }: Fault, hop?: ToldHop): ToldEvent {
  return { kind, code, cause, fix, node: hop?.node.id, role: hop?.role }
}

function lastOf(hops: Hops): string {
  return `…${shortId(hops.at(-1)?.id ?? '')}`
}

/** A leg by its nodes, but the exit, which all legs have. */
function named(hops: Hops): string {
  return hops
    .slice(0, -1)
    .map(({ id }) => `…${shortId(id)}`)
    .join(', ')
}
