import { formatDuration } from './format.ts'

/** What is to be known of an attestation that is shorter than certificates live; undefined where it is long enough. */
export function attestationWords(ttlMs: number | undefined, certificateTtlMs: number): string | undefined {
  if (ttlMs === undefined || ttlMs >= certificateTtlMs) return undefined
  return `Certificates of this network live for ${formatDuration(certificateTtlMs)}, and one that ends behind the attestation tells what it says as declared: it will never show as attested. Give a longer --expires.`
}
