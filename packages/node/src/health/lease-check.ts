import type { NetworkChecked } from './network-checked.ts'
import type { Check } from './node-checks.ts'
import { validatorWords } from './validator-words.ts'

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
      return [
        {
          name: 'lease',
          tried: 'asked of every validator',
          fault: undefined,
          // The node uses the network all the same.
          notice: {
            code: 'E_LEASE_PENDING',
            cause: `${votes} of the ${quorum} validators needed have voted for a lease of this node.${validatorWords(faults)}`,
            fix: faults[0]?.fix ?? 'Wait a moment: validators are being asked.',
          },
        },
      ]
    }
  }
}
