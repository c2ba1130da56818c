import { type Scope, isWeftError, systemClock, systemRandom, throwIfAborted } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import type { NetworkFile, Overlay } from '@weft/overlay'
import type { Storage } from '@weft/storage'
import type { Config } from '../config/load-config.ts'
import type { DaemonLog } from '../log/daemon-log.ts'
import type { Components } from './components.ts'
import { defaultFamily } from './default-family.ts'
import { portError } from './port-error.ts'
import type { StatePaths } from './state-directory.ts'

export interface NetworkInit {
  readonly config: Config
  readonly components: Components
  readonly paths: StatePaths
  readonly keys: { readonly node: SigningKey; readonly person: SigningKey }
  readonly networkFile: NetworkFile
  readonly log: DaemonLog
  readonly scope: Scope
  readonly signal: AbortSignal
}

export interface StartedNetwork {
  readonly overlay: Overlay
  readonly storage: Storage
  /** Undefined for a pure client, which does not listen. */
  readonly overlayPort: number | undefined
}

/** Starts this node's part of the network and, on it, storage. @throws WeftError E_PORT_TAKEN, E_ABORTED and those of both */
export async function startNetwork({
  config,
  components,
  paths,
  keys,
  networkFile,
  log,
  scope,
  signal,
}: NetworkInit): Promise<StartedNetwork> {
  const { values, roles } = config
  const simulated = networkFile.simulated !== undefined
  const port = roles.length === 0 ? undefined : values['ports.public']
  const listen = port === undefined ? [] : [{ host: simulated ? '127.0.0.1' : values['network.listen_host'], port }]
  const announce = values['network.announce']
  const common = { clock: systemClock, random: systemRandom, logger: log, scope }
  const overlay = await components
    .createOverlay({
      ...common,
      network: networkFile,
      key: keys.node,
      roles,
      listen,
      ...(announce.length === 0 ? {} : { announce }),
      family: values['node.family'] ?? defaultFamily(keys.person),
      region: values['node.region'],
      country: values['node.country'],
      directory: paths.overlay,
      probes: components.probes,
    })
    .catch((error: unknown) => {
      // The overlay does not know who has the port, nor by which setting it was chosen.
      throw isWeftError(error, 'E_PORT_TAKEN') ? portError({ code: 'EADDRINUSE' }, port ?? 0, 'ports.public') : error
    })
  throwIfAborted(signal)
  const storage = await components.createStorage({
    ...common,
    overlay,
    personKey: keys.person,
    directory: paths.storage,
    ...(roles.includes('storage')
      ? { holder: { quotaBytes: values['storage.quota'], reserveBytes: values['storage.reserve'] } }
      : {}),
  })
  return { overlay, storage, overlayPort: port }
}
