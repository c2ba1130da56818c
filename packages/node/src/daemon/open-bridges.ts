import { type Bridge, BridgeDialer, readBridges } from '@weft/bridge'
import { WeftError, systemClock } from '@weft/core'
import type { Config } from '../config/load-config.ts'
import type { DaemonLog } from '../log/daemon-log.ts'
import type { StatePaths } from './state-directory.ts'

/** The bridges of a client, and what calls by them. */
export interface OwnBridges {
  readonly bridges: readonly Bridge[]
  readonly dialer: BridgeDialer
}

/**
 * By which bridges this node calls; undefined where it calls by itself. With one or more it calls nobody else.
 * @throws WeftError E_BRIDGE_FILE, E_BRIDGE_ROLES
 */
export function openBridges({ roles, values }: Config, paths: StatePaths, log: DaemonLog): OwnBridges | undefined {
  const bridges = readBridges(paths.bridges)
  if (bridges.length === 0) return undefined
  if (roles.length > 0 || values['bridge.enabled'] || values['node.forward']) throw forClients()
  const dialer = new BridgeDialer({
    bridges,
    clock: systemClock,
    // Where bridges are is not for a log: who reads it would learn it.
    onChange: (states) =>
      log.info('what bridges there are changed', {
        states: states.map(({ state }) => state),
        faults: states.flatMap(({ fault }) => fault?.code ?? []),
      }),
  })
  return { bridges, dialer }
}

function forClients(): WeftError {
  return new WeftError({
    code: 'E_BRIDGE_ROLES',
    cause:
      'This node has bridges to call by, and offers something to others, who call it and whom it calls: bridges are for clients.',
    fix: 'Run it as a client (--roles client, without bridge.enabled and node.forward), or take the bridges out: weft bridge show, weft bridge remove.',
  })
}
