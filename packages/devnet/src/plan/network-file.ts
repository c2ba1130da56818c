import type { NetworkFile, SimulatedPlace } from '@weft/overlay'
import type { DevnetNode } from '../lifecycle/devnet-state.ts'
import type { SyntheticPlace } from './synthetic-places.ts'

/** A devnet's map epoch, ms: a change is seen within seconds; a network of many hosts takes the default of 60 s. */
const MAP_EPOCH_MS = 5_000
/** ms without validators after which others take their seats: long enough to stop and start them for a try. */
const RECOVERY_AFTER_MS = 60_000

/** The network file of a devnet: its validators on loopback, and the simulated place of every member. */
export function devnetNetworkFile(
  name: string,
  createdAt: number,
  nodes: readonly DevnetNode[],
  places: ReadonlyMap<string, SyntheticPlace>,
): Omit<
  NetworkFile,
  'committeeSize' | 'seats' | 'rotateMs' | 'certificateTtlMs' | 'clockToleranceMs' | 'auditEpochMs' | 'rewardEpochMs'
> {
  const simulated: Record<string, SimulatedPlace> = {}
  for (const node of nodes) {
    const place = places.get(node.name)
    if (place !== undefined) simulated[node.id] = place
  }
  return {
    schemaVersion: 1,
    name,
    policy: 'open',
    mapEpochMs: MAP_EPOCH_MS,
    recoveryAfterMs: RECOVERY_AFTER_MS,
    createdAt,
    validators: nodes
      .filter(({ roles }) => roles.includes('validator'))
      .map(({ id, name: nodeName, roles, ports }) => ({
        id: id as NetworkFile['validators'][number]['id'],
        addresses: [`/ip4/127.0.0.1/tcp/${ports.overlay}`],
        roles,
        family: places.get(nodeName)?.family ?? nodeName,
      })),
    simulated,
  }
}
