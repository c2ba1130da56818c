import { joinFaults, sizeWords } from '@weft/core'
import { toleratedFaults } from '@weft/overlay'
import { leaseChecks } from './lease-check.ts'
import type { NetworkChecked } from './network-checked.ts'
import type { Check } from './node-checks.ts'
import { publicPorts } from './public-ports.ts'
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
function portsCheck({ ports, roles }: NetworkChecked): Check {
  const open = roles.length === 0 ? 'none for other nodes: a client listens for nobody' : publicPorts(ports)
  return { name: 'ports', tried: `API on 127.0.0.1:${ports['api']}; ${open}`, fault: undefined }
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
  return {
    name: 'roles',
    tried:
      asked.length === 0
        ? 'the network file asks for no minimum of these roles'
        : `minimums of ${asked.map(({ role }) => role).join(', ')}, as validators measured at admission`,
    fault: joinFaults(bySettings) ?? joinFaults(demoted),
  }
}

/** With three validators or fewer the network stands when one is down. It works, so this is no fault of the node. */
function quorumCheck({ overlay }: NetworkChecked): Check {
  const { number, validators } = overlay.term()
  const count = validators.length
  const tolerated = toleratedFaults(count)
  return {
    name: 'quorum',
    tried: `${count} validators, of which ${tolerated} may be down${number === 0 ? '' : `; of term ${number}, seated by members`}`,
    fault: undefined,
    ...(tolerated > 0
      ? {}
      : {
          notice: {
            code: 'E_QUORUM_FRAGILE',
            cause: `Of the ${count} validators of this network none may be down: without one nobody is admitted, and the signed map grows old.`,
            fix: 'Begin networks that matter with four validators or more: weft network create with --validator for each.',
          },
        }),
  }
}
