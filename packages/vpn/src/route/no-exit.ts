import { WeftError, counted } from '@weft/core'
import { NOBODY } from './nobody-left.ts'
import type { PathWishes } from './path-wishes.ts'
import { EXIT, type RouteTable } from './route-table.ts'

type Wish = NonNullable<PathWishes['exit']>

export interface NoExit {
  readonly table: RouteTable
  readonly wishes: PathWishes
  /** Places of exits that are as asked for. */
  readonly pool: Int32Array
  /** How many fell out for what, in words. */
  readonly told: string
  readonly reasons: Readonly<Record<string, number>>
}

/** Countries that an error names. */
const MAX_COUNTRIES = 8

/** That no exit is to be had: what was asked for, where there are exits, and what mends it. */
export function noExit(gap: NoExit): WeftError {
  const { table, wishes, told, reasons } = gap
  const exits = table.withRole(EXIT)
  const countries = countriesOf(table, exits)
  return new WeftError({
    code: NOBODY.exit,
    cause: `${whatIs(gap, exits.length, countries)} (of ${counted(table.size, 'member')} ${told}).`,
    fix: fixOf(gap, countries),
    retryable: true,
    details: {
      position: 'exit',
      reasons,
      exit: asked(wishes.exit) ?? 'auto',
      countries: countries.slice(0, MAX_COUNTRIES),
    },
  })
}

function whatIs({ table, wishes, pool }: NoExit, exits: number, countries: readonly string[]): string {
  const wish = asked(wishes.exit)
  const those = wish === undefined ? '' : ` as asked for, ${wish},`
  if (exits === 0) return 'No member of the signed map is an exit'
  if (pool.length === 0 && wishes.exit?.kind === 'node') {
    const is = table.indexOf(wishes.exit.id) === undefined ? 'is no member that carries packets' : 'is not an exit'
    return `The node ${wishes.exit.id}, which was asked for, ${is}; exits are in ${listed(countries)}`
  }
  if (pool.length === 0) return `No exit is as asked for, ${wish ?? 'any'}; exits are in ${listed(countries)}`
  return pool.length === 1
    ? `The one exit${those} cannot be that of this route`
    : `None of ${pool.length} exits${those} can be that of this route`
}

function fixOf({ wishes, pool }: NoExit, countries: readonly string[]): string {
  const [country] = countries
  if (country === undefined)
    return 'Nothing to do where all exits are down: a route is built when the signed map has one again. weft members shows the roles of those in it.'
  const other = (exit: string): string =>
    `weft vpn profile set NAME --exit ${exit} (NAME is that of the profile in use; one that is built in is copied first)`
  if (pool.length === 0) return `weft vpn exits lists the exits there are; ask for one of them: ${other(country)}.`
  return `${asked(wishes.exit) === undefined ? '' : `Let others serve: ${other('auto')}. `}weft members shows roles and places; nodes of a route are of different operators and networks.`
}

/** Undefined where any exit is as asked for. */
function asked(wish: Wish | undefined): string | undefined {
  switch (wish?.kind) {
    case 'country':
      return wish.country
    case 'region':
      return `the region ${wish.region}`
    case 'node':
      return `the node ${wish.id}`
    case 'nearest':
    case 'auto':
    case 'random':
    case undefined:
      return undefined
  }
}

/** Of exits, those with most of them first. */
function countriesOf(table: RouteTable, exits: Int32Array): string[] {
  const counts = new Map<string, number>()
  for (const at of exits) {
    const country = table.members[at]?.country ?? ''
    counts.set(country, (counts.get(country) ?? 0) + 1)
  }
  return [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).map(([country]) => country)
}

function listed(countries: readonly string[]): string {
  const more = countries.length - MAX_COUNTRIES
  return `${countries.slice(0, MAX_COUNTRIES).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
