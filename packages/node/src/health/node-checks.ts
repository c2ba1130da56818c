import type { Fault } from '@weft/core'
import { type AdmissionState, type Overlay, type Reach, recordQuorum } from '@weft/overlay'
import type { PersonStorage } from '@weft/storage'
import { namesOf } from './names-of.ts'
import { stateFault } from './state-fault.ts'
import { validatorWords } from './validator-words.ts'

/** One question that has to be answered with yes before the node is ready. */
export interface Check {
  readonly name:
    | 'state'
    | 'log'
    | 'map'
    | 'admission'
    | 'peers'
    | 'storage'
    | 'buckets'
    | 'vpn'
    | 'clock'
    | 'ports'
    | 'reach'
    | 'roles'
    | 'quorum'
    | 'lease'
    | 'energy'
    | 'bridge'
  /** What was looked at, for people. */
  readonly tried?: string
  readonly fault: Fault | undefined
  /** What is not wrong, and worth knowing. */
  readonly notice?: Fault
}

export interface Checked {
  readonly home: string
  readonly overlay: Overlay
  readonly storage: Pick<PersonStorage, 'held' | 'buckets'>
  readonly vpn: { readonly fault: Fault | undefined }
  /** Log lines that could not be written since the last one that could. */
  readonly droppedLines: () => number
}

export function nodeChecks({ home, overlay, storage, vpn, droppedLines }: Checked): readonly Check[] {
  return [
    { name: 'state', fault: stateFault(home) },
    { name: 'log', fault: logFault(droppedLines()) },
    { name: 'map', fault: overlay.membership.status().fault },
    { name: 'admission', fault: admissionFault(overlay.admission(), overlay.reach()) },
    { name: 'peers', fault: peersFault(overlay) },
    storageCheck(storage),
    { name: 'buckets', fault: storage.buckets.fault },
    { name: 'vpn', fault: vpn.fault },
  ]
}

/** A node with damaged shards serves the others. */
function storageCheck(storage: Pick<PersonStorage, 'held'>): Check {
  const { fault, notice } = storage.held()
  return { name: 'storage', fault, ...(notice !== undefined && { notice }) }
}

function logFault(dropped: number): Fault | undefined {
  if (dropped === 0) return undefined
  return {
    code: 'E_LOG_DROPPED',
    cause: `${dropped} lines of the log could not be written.`,
    fix: 'Make room on the disk of the home.',
  }
}

/** What a refusal tells in the words of one validator: behind the counts, where it has them. */
function toldAlready({ fault, faults }: Extract<AdmissionState, { state: 'refused' }>): Fault {
  return faults.find(({ code, cause }) => code === fault.code && fault.cause.endsWith(cause)) ?? fault
}

/** What keeps this node from being a member; a client wants to be none. */
export function admissionFault(admission: AdmissionState, reach: Reach): Fault | undefined {
  switch (admission.state) {
    case 'client':
      return undefined
    case 'refused':
      return {
        code: admission.fault.code,
        cause: admission.fault.cause + validatorWords(admission.faults, toldAlready(admission)),
        fix: admission.fault.fix,
      }
    case 'applying':
      if (reach.state === 'asking' || reach.state === 'unreachable') return notApplied(reach)
      return {
        code: 'E_ADMISSION_PENDING',
        cause: `${admission.votes} of the ${admission.quorum} validators needed have admitted this node so far.${validatorWords(admission.faults)}`,
        fix: admission.faults[0]?.fix ?? 'Wait a moment: validators are checking this node.',
      }
    case 'certified':
      if (admission.inMap) return undefined
      return {
        code: 'E_NOT_IN_MAP',
        cause: 'This node is certified and not in the signed map yet.',
        fix: 'Wait for the next map epoch.',
      }
  }
}

/** A certificate says where its node is reached. */
function notApplied(reach: Extract<Reach, { readonly state: 'asking' | 'unreachable' }>): Fault {
  return {
    code: 'E_ADMISSION_PENDING',
    cause: 'This node has not applied to the validators: it does not know where others reach it.',
    fix:
      reach.state === 'asking'
        ? 'Wait a moment: other nodes are asked to dial this one back; weft check says how that goes.'
        : reach.fault.fix,
  }
}

const BY_BRIDGE =
  ' Where the addresses of all members are blocked, a client gets to them by a bridge: weft bridge add (README.md, "Where the addresses of members are blocked").'

function peersFault(overlay: Overlay): Fault | undefined {
  const peers = overlay.peers()
  if (peers.length === 0) return undefined
  const lost = peers.filter(({ state }) => state === 'unreachable')
  const members = overlay.membership.members().length
  const { required } = recordQuorum(members)
  const reached = members - lost.length
  if (peers.some(({ state }) => state === 'connected')) {
    if (reached >= required) return undefined
    return {
      code: 'E_PEERS_FEW',
      cause: `${lost.length} of the ${peers.length} other members cannot be reached (${namesOf(lost)}); records need ${required} members, and ${reached} are left. What is stored may still be read; nothing can be put.`,
      fix: 'Bring unreachable nodes back; weft peers tells what was tried for each.',
    }
  }
  return {
    code: 'E_NO_PEERS',
    cause: `None of the ${peers.length} other members can be reached.`,
    fix: `Check the network of this machine and its firewall; weft peers tells what was tried for each.${overlay.admission().state === 'client' ? BY_BRIDGE : ''}`,
  }
}
