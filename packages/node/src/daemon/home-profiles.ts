import type { ApplyKillSwitch } from '@weft/vpn'
import type { Config } from '../config/load-config.ts'
import { configuredFields } from './configured-fields.ts'
import { profileKillSwitch } from './kill-switch.ts'
import { DNS } from './open-proxy.ts'
import { statePaths } from './state-directory.ts'
import type { VpnProfiles } from './vpn-profiles.ts'

/**
 * The profiles of a home whose daemon does not run, or of one that begins. What they need of the VPN is loaded for it.
 * @param config that of the home
 * @param applyKillSwitch that of this machine, unless another one is given
 */
export async function homeProfiles(
  config: Pick<Config, 'home' | 'values' | 'networkFile'>,
  applyKillSwitch: ApplyKillSwitch = profileKillSwitch(config),
): Promise<VpnProfiles> {
  const { home, values } = config
  const [{ ProfilesFile }, { VpnProfiles: Profiles }] = await Promise.all([
    import('@weft/vpn'),
    import('./vpn-profiles.ts'),
  ])
  return new Profiles({
    file: new ProfilesFile(statePaths(home).profiles),
    configured: configuredFields(values),
    dns: { host: '127.0.0.1', port: values['ports.base'] + DNS },
    applyKillSwitch,
  })
}

/** The document of an exported profile, of its text. @throws WeftError E_PROFILE_INVALID */
export async function readProfileDocument(text: string): Promise<unknown> {
  const { parseDocumentText } = await import('@weft/vpn')
  return parseDocumentText(text)
}
