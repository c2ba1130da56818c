import { type FlowSeries, correlations } from './flow-series.ts'

/** Bytes of a session's packet in a cell. */
const PAYLOAD = 1_329

/**
 * What an attacker compares of what it saw at the link of one client and at the target of one exit: correlations up and down, at four bin widths and
 * in three readings, volumes, and beginnings. The first 24 are the correlations.
 */
export function pairFeatures(link: FlowSeries, target: FlowSeries): number[] {
  const volumes = [0, 1].map((way) => {
    const carried = (link.linkCells[way] as number) * PAYLOAD
    return Math.log((carried + PAYLOAD) / ((target.targetBytes[way] as number) + PAYLOAD))
  })
  return [
    ...correlations(link.linkUp, target.targetUp),
    ...correlations(link.linkDown, target.targetDown),
    ...volumes,
    ...volumes.map(Math.abs),
    Math.log1p(Math.abs(target.targetFirst - link.linkFirst)),
  ]
}

export const CORRELATIONS = 24
