import type { LeasesAnswer, NetworkAnswer, StatusAnswer } from '@weft/node'
import { FaultNote } from './fault-note.tsx'
import { formatTime, shortId } from './format.ts'
import { StateBadge, type Tone } from './state-badge.tsx'

export interface NetworkStateProps {
  readonly status: StatusAnswer
  /** Undefined until it was read. */
  readonly network: NetworkAnswer['network'] | undefined
  readonly lease: LeasesAnswer['own'] | undefined
}

/** How this node stands towards its network, and what is wrong, with cause and fix. */
export function NetworkState({ status, network, lease }: NetworkStateProps) {
  const { map, reach, admission, peers, faults } = status
  const [tone, words] = reachLook(reach)
  return (
    <>
      {faults.map((fault) => (
        <FaultNote key={`${fault.code} ${fault.cause}`} fault={fault} />
      ))}
      {(reach.state === 'relayed' || reach.state === 'unreachable') &&
        !faults.some(({ code }) => code === reach.fault.code) && <FaultNote fault={reach.fault} />}
      <dl className="facts">
        <dt>Network</dt>
        <dd>
          {status.network.name} <code>{status.network.id}</code>
          {status.network.simulated && ' (a network on this machine; places are simulated)'}
        </dd>
        <dt>Signed map</dt>
        <dd data-testid="map-epoch">
          {map.epoch === undefined || map.signedAt === undefined
            ? 'none yet'
            : `epoch ${map.epoch}, signed by ${map.signatures} of ${map.validators} validators (${map.quorum} needed) at ${formatTime(map.signedAt)}`}
        </dd>
        {network !== undefined && (
          <>
            <dt>Term of the validators</dt>
            <dd data-testid="term">
              {network.term.number}, from map epoch {network.term.fromEpoch}
              {network.term.number === 0 && ', those of the network file'}; {seatWords(network)}
            </dd>
          </>
        )}
        <dt>Admission</dt>
        <dd>
          {admission.state}
          {admission.state === 'certified' && (admission.inMap ? ', in the map' : ', not in the map yet')}
        </dd>
        <dt>Reached by others</dt>
        <dd data-testid="reach" data-state={reach.state}>
          <StateBadge tone={tone}>{words}</StateBadge>
        </dd>
        <dt>Connected</dt>
        <dd>
          {peers.connected} of {peers.total} members
        </dd>
        {lease !== undefined && lease.state !== 'none' && (
          <>
            <dt>Own lease</dt>
            <dd data-testid="own-lease" data-state={lease.state}>
              {lease.state === 'held'
                ? `to ${lease.uses.join(' and ')}, until ${formatTime(lease.expiresAt)}, listed by ${lease.listedBy} validators`
                : `asked for: ${lease.votes} of the ${lease.quorum} votes needed. ${lease.faults[0]?.cause ?? ''}`}
            </dd>
          </>
        )}
      </dl>
    </>
  )
}

/** How many validators answer, of how many that must, and who does not. */
function seatWords({ validators, quorum }: NetworkAnswer['network']): string {
  const silent = validators.filter(({ state }) => state === 'silent')
  const unknown = validators.filter(({ state }) => state === 'unknown').length
  const answering = validators.length - silent.length - unknown
  const names = silent.map(({ id, inMap }) => `${shortId(id)}${inMap ? '' : ' (left the map)'}`)
  return `${answering} of ${validators.length} answer, ${quorum} needed${names.length === 0 ? '' : `; missing: ${names.join(', ')}`}${unknown === 0 ? '' : `; of ${unknown} nothing is known here`}`
}

function reachLook(reach: StatusAnswer['reach']): readonly [Tone, string] {
  switch (reach.state) {
    case 'client':
      return ['idle', 'not needed: nobody calls a client']
    case 'asking':
      return ['warn', 'not known yet: other nodes are asked to dial this one back']
    case 'direct':
      return ['good', `at ${reach.addresses.join(', ')}`]
    case 'relayed':
      return [
        'warn',
        `over ${reach.through.length === 1 ? 'the relay' : 'the relays'} ${reach.through.map(shortId).join(' and ')}`,
      ]
    case 'unreachable':
      return ['bad', 'by nobody']
  }
}
