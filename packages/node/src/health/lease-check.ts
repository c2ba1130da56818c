import { shortId } from '@weft/crypto'
import type { NetworkChecked } from './network-checked.ts'
import type { Check } from './node-checks.ts'

/** Whether a client that lends something has its lease. Nothing is checked of a node that lends nothing. */
export function leaseChecks({ overlay }: Pick<NetworkChecked, 'overlay'>): readonly Check[] {
  const lease = overlay.lease()
  switch (lease.state) {
    case 'none':
      return []
    case 'held':
      return [{ name: 'lease', tried: `held, and listed by ${lease.listedBy} validators`, fault: undefined }]
    case 'asking': {
      const { votes, quorum, faults } = lease
      const said = faults.map(({ validator, code, cause }) => ` Validator ${shortId(validator)}: ${code}: ${cause}`)
      return [
        {
          name: 'lease',
          tried: 'asked of every validator',
          fault: undefined,
          // The node uses the network all the same.
          notice: {
            code: 'E_LEASE_PENDING',
            cause: `${votes} of the ${quorum} validators needed have voted for a lease of this node.${said.join('')}`,
            fix: faults[0]?.fix ?? 'Wait a moment: validators are being asked.',
          },
        },
      ]
    }
  }
}
