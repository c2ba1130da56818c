import type { Overlay, ValidatorFault } from '@weft/overlay'

/** What validators said with this code to a node that applies. */
export function refusalsOf(overlay: Pick<Overlay, 'admission'>, code: string): readonly ValidatorFault[] {
  const admission = overlay.admission()
  if (admission.state !== 'applying' && admission.state !== 'refused') return []
  return admission.faults.filter((fault) => fault.code === code)
}
