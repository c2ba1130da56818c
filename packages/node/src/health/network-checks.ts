import { isIPv6 } from 'node:net'
import { type Fault, joinFaults, sizeWords } from '@weft/core'
import { energyChecks } from './energy-check.ts'
import { leaseChecks } from './lease-check.ts'
import type { NetworkChecked } from './network-checked.ts'
import type { Check } from './node-checks.ts'
import { publicPorts } from './public-ports.ts'
import { quorumCheck } from './quorum-check.ts'
import { reachCheck } from './reach-check.ts'
import { refusalsOf } from './refusals-of.ts'

/** How this node stands towards its network: what was tried, what is wrong, and what to open or change. */
export function networkChecks(checked: NetworkChecked): readonly Check[] {
  return [
    clockCheck(checked),
    portsCheck(checked),
    reachCheck(checked),
    rolesCheck(checked),
    quorumCheck(checked),
    ...leaseChecks(checked),
    ...energyChecks(checked),
  ]
}

function clockCheck({ overlay }: NetworkChecked): Check {
  const { epoch, fault: ofMap } = overlay.membership.status()
  const told = refusalsOf(overlay, 'E_CLOCK_SKEW')[0]
  const map =
    epoch === undefined ? 'no signed map to compare with yet' : `compared with the signed map of epoch ${epoch}`
  return {
    name: 'clock',
    tried: `${map}; each validator compares it at admission`,
    fault:
      told === undefined
        ? ofMap?.code === 'E_CLOCK_SKEW'
          ? ofMap
          : undefined
        : { code: told.code, cause: told.cause, fix: told.fix },
  }
}

/** A daemon that could not listen did not start: here it says where it does. */
function portsCheck(checked: NetworkChecked): Check {
  const { ports, roles } = checked
  const open = roles.length === 0 ? 'none for other nodes: a client listens for nobody' : publicPorts(checked)
  const fault = roles.length === 0 ? undefined : apartFault(checked.listen)
  return { name: 'ports', tried: `API on 127.0.0.1:${ports['api']}; ${open}`, fault }
}

/**
 * Where others are to reach this node by a version of IP by which it does not listen. That it is certified proves nothing: a validator that is alone
 * certifies itself.
 */
function apartFault({ host, declared }: NetworkChecked['listen']): Fault | undefined {
  if (host === '::') return undefined
  const apart = declared.filter((each) => isIPv6(each) !== isIPv6(host))
  if (apart.length === 0) return undefined
  return {
    code: 'E_LISTEN_VERSION',
    cause: `Others are to reach this node at ${apart.join(', ')}, and it listens for ${isIPv6(host) ? 'IPv6' : 'IPv4'} only (network.listen_host is ${host}).`,
    fix: 'Set network.listen_host to "::", which takes both, or leave it out, and restart the daemon; or announce only what it listens on (network.announce; of a validator the network file says it).',
  }
}

/** What the network file asks of this node's roles: by what validators measured, and before that by its own settings. */
function rolesCheck({ overlay, networkFile: { minimums = {} }, roles, storageQuota }: NetworkChecked): Check {
  const asked = roles.flatMap((role) => {
    const minimum = minimums[role]
    return minimum === undefined ? [] : [{ role, ...minimum }]
  })
  const admission = overlay.admission()
  const demoted = admission.state === 'certified' ? (admission.demoted ?? []) : []
  const bySettings = asked
    .filter(({ storageBytes = 0 }) => storageBytes > storageQuota)
    .map(({ role, storageBytes = 0 }) => ({
      code: 'E_ROLE_MINIMUM',
      cause: `The network asks ${sizeWords(storageBytes)} of a node with the role ${role}, and this node keeps ${sizeWords(storageQuota)}.`,
      fix: `Raise storage.quota in weft.toml, or take ${role} out of its roles (--roles).`,
    }))
  const refused = asked.length === 0 ? undefined : refusalsOf(overlay, 'E_ROLE_MINIMUM')[0]
  const byValidators = refused && { code: refused.code, cause: refused.cause, fix: refused.fix }
  const isMeasured = admission.state === 'certified' || byValidators !== undefined
  return {
    name: 'roles',
    tried:
      asked.length === 0
        ? 'the network file asks for no minimum of these roles'
        : `minimums of ${asked.map(({ role }) => role).join(', ')}, ${isMeasured ? 'as validators measured at admission' : 'by the settings of this node: no quorum of validators has measured it yet'}`,
    fault: joinFaults(bySettings) ?? joinFaults(demoted) ?? byValidators,
  }
}
