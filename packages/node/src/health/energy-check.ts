import type { NetworkChecked } from './network-checked.ts'
import type { Check } from './node-checks.ts'

/** Whether the energy that an attester signed counts as attested: not in a certificate that ends behind the attestation. */
export function energyChecks({ overlay, energy }: Pick<NetworkChecked, 'overlay' | 'energy'>): readonly Check[] {
  const admission = overlay.admission()
  if (energy?.evidence !== 'attested' || admission.state !== 'certified') return []
  const [ends, certificateEnds] = [energy.notAfter, admission.expiresAt].map((ms) => new Date(ms).toISOString())
  const tried = `attested until ${ends}; the certificate ends on ${certificateEnds}`
  if (energy.notAfter >= admission.expiresAt) return [{ name: 'energy', tried, fault: undefined }]
  return [
    {
      name: 'energy',
      tried,
      fault: undefined,
      notice: {
        code: 'E_ATTESTATION_SHORT',
        cause: `The energy of this node counts as declared until it has another attestation: the one in resources.attestation ends on ${ends}, before the certificate does.`,
        fix: 'Ask the attester for one that outlives certificates (weft network attest with a longer --expires), set it in weft.toml and start the node again.',
      },
    },
  ]
}
