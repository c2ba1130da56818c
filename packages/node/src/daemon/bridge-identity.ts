import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { readSecretFile, writeSecretFile } from '@weft/bridge'
import { messageOf } from '@weft/core'
import { createWebCertificate, createWebKey } from '@weft/overlay'
import { configError } from '../config/config-error.ts'
import type { Config } from '../config/load-config.ts'
import type { StatePaths } from './state-directory.ts'

/** Both PEM. */
export interface BridgeIdentity {
  readonly certificate: string
  readonly key: string
}

/** A certificate that ends so soon is made anew, of the same key: what clients know is the key. */
const RENEW_MS = 90 * 86_400_000
/** What a web server that was set up without a name calls itself. */
const NO_NAME = 'localhost'

/**
 * The key and certificate that a bridge shows: those that its operator names, or its own, which are made in the home where they are missing.
 * @throws WeftError E_CONFIG_INVALID, E_BRIDGE_FILE
 */
export function bridgeIdentity({ values, home }: Config, paths: StatePaths, now: number): BridgeIdentity {
  const [certificate, key] = [values['bridge.certificate'], values['bridge.certificate_key']]
  if (certificate !== undefined && key !== undefined)
    return {
      certificate: readOwn(resolve(home, certificate), 'bridge.certificate'),
      key: readOwn(resolve(home, key), 'bridge.certificate_key'),
    }
  return ownIdentity(paths, values['bridge.server_name'] ?? NO_NAME, now)
}

function ownIdentity(paths: StatePaths, name: string, now: number): BridgeIdentity {
  const known = readSecretFile(paths.bridgeKey)
  const key = known ?? createWebKey()
  if (known === undefined) writeSecretFile(paths.bridgeKey, key)
  const kept = readSecretFile(paths.bridgeCertificate)
  if (kept !== undefined && isGood(kept, name, now)) return { certificate: kept, key }
  const certificate = createWebCertificate(key, name, now)
  writeSecretFile(paths.bridgeCertificate, certificate)
  return { certificate, key }
}

function isGood(certificate: string, name: string, now: number): boolean {
  try {
    const { subject, validToDate } = new X509Certificate(certificate)
    return subject === `CN=${name}` && validToDate.getTime() > now + RENEW_MS
  } catch {
    return false
  }
}

function readOwn(path: string, setting: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw configError(
      `${setting} names ${path}, which cannot be read: ${messageOf(error)}.`,
      'Name a PEM file that the user of the daemon may read.',
      {
        key: setting,
      },
    )
  }
}
