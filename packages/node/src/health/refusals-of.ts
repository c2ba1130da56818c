import type { Overlay, ValidatorFault } from '@weft/overlay'

/** What validators said to a node that applies, or how they could not be asked; with this code, or any. */
export function refusalsOf(overlay: Pick<Overlay, 'admission'>, code?: string): readonly ValidatorFault[] {
  const admission = overlay.admission()
  if (admission.state !== 'applying' && admission.state !== 'refused') return []
  return admission.faults.filter((fault) => code === undefined || fault.code === code)
}
