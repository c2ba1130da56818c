import type { Fault } from '@weft/core'
import type { CarriageSetting } from '../carriage/carriage-choice.ts'

/** How packets of this client get to entries. */
export interface WayToEntries {
  readonly setting: CarriageSetting
  /** It calls by bridges only. */
  readonly byBridges: boolean
  /** Why none of these works; undefined while one does or none was tried. */
  readonly bridgeFault: Fault | undefined
}

const AGAIN = 'Other nodes are tried again and again; weft peers shows which members answer.'

/**
 * Why there is no route, and what to do.
 * @param last what the last one failed with
 * @param way where none gets as far as an answer of its entry: what may be in the way stands there
 */
export function noRouteFault(last: Fault, way: WayToEntries | undefined): Fault {
  if (way?.bridgeFault !== undefined) return way.bridgeFault
  return {
    code: 'E_ROUTE_NONE',
    cause: `No route works at the moment. The last one: ${last.cause}`,
    fix:
      way === undefined ? `Nothing to do at once. ${AGAIN} A route needs an entry, a relay and an exit.` : fixOf(way),
  }
}

function fixOf({ setting, byBridges }: WayToEntries): string {
  if (byBridges) return `See weft bridge show for the bridge by which members are called. ${AGAIN}`
  if (setting === 'udp')
    return `Set vpn.carriage = "auto" in weft.toml, and restart the daemon: where UDP is blocked packets then go in TLS over TCP. ${AGAIN}`
  return `Check the clock of this machine (no entry answers one that is five minutes off), its network and its firewall. Where the addresses of all members are blocked, a client gets to them by a bridge: weft bridge add (README.md, "Where the addresses of members are blocked"). ${AGAIN}`
}
