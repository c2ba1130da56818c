import { type Logger, messageOf } from '@weft/core'
import type { Suites } from '@weft/onion'
import { machineHasAes } from './hardware-aes.ts'
import { loadOpenSslAes } from './open-ssl-aes.ts'

/** Which suites links and the layers of circuits may have: `auto` adds AES-256-GCM where this machine computes it in hardware. */
export type SuiteSetting = 'auto' | 'chacha20-poly1305'

/** What this machine computes beside ChaCha20-Poly1305; a line in the log says why where that is nothing. */
export async function loadSuites(setting: SuiteSetting, logger: Logger, hasAes = machineHasAes): Promise<Suites> {
  if (setting !== 'auto') return {}
  if (!hasAes()) {
    logger.info('links and circuits are sealed with ChaCha20-Poly1305 alone: the processor has no instructions for AES')
    return {}
  }
  try {
    return { aes256: await loadOpenSslAes() }
  } catch (error) {
    logger.warn('links and circuits are sealed with ChaCha20-Poly1305 alone: OpenSSL cannot be called', {
      reason: messageOf(error),
    })
    return {}
  }
}
