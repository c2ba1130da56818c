import { WeftError } from '@weft/core'
import type { Visit } from './tour-server.ts'

export interface NamedProcess {
  readonly name: string
  readonly pid: number | undefined
}

/**
 * What the server saw, for people: the exit's process and nobody else. A page that came another way is no success.
 * @throws WeftError E_TOUR_SEEN
 */
export function judgeVisits(visits: readonly Visit[], exit: NamedProcess, nodes: readonly NamedProcess[]): string {
  const stranger = visits.find(({ owner }) => owner !== undefined && owner.pid !== exit.pid)
  if (visits.length === 0 || stranger !== undefined) {
    const name = nodes.find(({ pid }) => pid !== undefined && pid === stranger?.owner?.pid)?.name
    const who = name ?? stranger?.owner?.name ?? 'nobody'
    throw new WeftError({
      code: 'E_TOUR_SEEN',
      cause: `The tour's server was asked by ${who}${stranger?.owner === undefined ? '' : ` (process ${stranger.owner.pid})`}, not by the exit ${exit.name} (process ${exit.pid ?? 'unknown'}).`,
      fix: 'See whether the route changed meanwhile (weft vpn route) and start the tour again; else this is a defect of Weft: report it.',
    })
  }
  const from = visits.map(({ address, port }) => `${address}:${port}`).join(', ')
  return visits.every(({ owner }) => owner !== undefined)
    ? `the server was asked from ${from}, which is ${exit.name}, the exit (process ${exit.pid}), and saw nobody else`
    : `the server was asked from ${from}; this system does not show whose port that is`
}
