import type { Fault } from '@weft/core'
import type { Role } from '../../member.ts'
import type { RoleMinimums } from '../../network/role-minimums.ts'
import type { Measured } from '../measured-field.ts'
import { FIGURES, type Figure, inWords, lackOf, minimumOf } from './claims.ts'

/** A role that a node wants and was not certified for, as validators found too little for it. */
export interface Demotion extends Fault {
  readonly role: Role
}

/** What to do about each figure. */
const FIXES: Readonly<Record<Figure, string>> = {
  bandwidthMbps: 'Give the node a faster line, or say in node.bandwidth_mbps what it has',
  lossPpm: 'See to a line that loses fewer packets',
  storageBytes: 'Raise storage.quota in weft.toml',
  availabilityPpm: 'Keep the node running: it has the role again once its last seven days are good enough',
}

/** Why a node that was measured so has not a role. */
export function roleMinimumFault(
  role: Role,
  figure: Figure,
  minimums: RoleMinimums,
  measured: Measured | undefined,
): Fault {
  const asked = inWords(figure, minimumOf(role, minimums, figure) ?? 0)
  const found = measured?.[figure]
  const limit = figure === 'lossPpm' ? 'at most' : 'at least'
  return {
    code: 'E_ROLE_MINIMUM',
    cause: `The network asks ${limit} ${asked} of a node with the role ${role}, and ${found === undefined ? 'that was not found' : `no more than ${inWords(figure, found)} holds`}.`,
    fix: `${FIXES[figure]}; or take ${role} out of its roles (--roles).`,
  }
}

/** The roles that a certificate lacks of those that its node wants, each with its reason. */
export function demotionsOf(
  wanted: readonly Role[],
  minimums: RoleMinimums,
  certified: { readonly roles: readonly Role[]; readonly measured: Measured | undefined },
): readonly Demotion[] {
  return wanted
    .filter((role) => role !== 'client' && !certified.roles.includes(role))
    .flatMap((role) => {
      const figure =
        lackOf(role, minimums, certified.measured) ??
        FIGURES.find((each) => minimumOf(role, minimums, each) !== undefined)
      return figure === undefined ? [] : [{ role, ...roleMinimumFault(role, figure, minimums, certified.measured) }]
    })
}
