import type { ConfiguredFields } from '@weft/vpn'
import type { SettingValues } from '../config/settings.ts'

/** What the settings say of fields that profiles of the VPN have as well. */
export function configuredFields(values: SettingValues): ConfiguredFields {
  return {
    tun: values['vpn.tun'],
    tunExclude: values['vpn.tun_exclude'],
    tunInclude: values['vpn.tun_include'],
    tunExcludeUsers: values['vpn.tun_exclude_users'],
    tunIncludeUsers: values['vpn.tun_include_users'],
    tunExcludeCgroups: values['vpn.tun_exclude_cgroups'],
    tunIncludeCgroups: values['vpn.tun_include_cgroups'],
    dns: values['vpn.dns'] === 'on' ? 'exit' : 'off',
  }
}
