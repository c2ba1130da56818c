import type { Fault } from '@weft/core'
import { isBuiltIn } from './built-in-profiles.ts'
import { openSplit } from './open-split.ts'
import type { Profile, ResolvedFields } from './profile.ts'
import { OF_THIS_MACHINE } from './profile-document.ts'
import { settingOf } from './setting-of.ts'

/**
 * What a person should know of a profile who relies on it.
 * @param resolved what it says, and for what it leaves out the configuration
 * @param isHeld whether the machine's kill switch is on, whoever put it on
 */
export function profileWarnings(
  { name, fields }: Profile,
  resolved: ResolvedFields,
  isHeld: boolean,
): readonly Fault[] {
  if (!isHeld && resolved.killSwitch === 'off') return []
  const split = openSplit(resolved)
  if (split === undefined) return []
  const { ipv4, ipv6, fields: lists } = split
  const [own, configured] = [lists.filter((list) => list in fields), lists.filter((list) => !(list in fields))]
  const unset = own.map((list) => ` --unset ${list}`).join('')
  const mends = [
    ...(own.length === 0 || isBuiltIn(name) ? [] : [`weft vpn profile set ${name}${unset} leaves them out`]),
    ...configured.map((list) => `weft config explain ${settingOf(list)} says where ${list} is set`),
  ]
  return [
    {
      code: 'E_PROFILE_OPEN',
      cause: `The kill switch lets out what the profile '${name}' leads beside the tunnel: ${ipv4}% of the addresses of the internet by IPv4 and ${ipv6}% by IPv6 (${lists.join(', ')}).`,
      fix: `Where that is not meant, lead it through the tunnel: ${mends.join('; ')}. Then weft vpn down and weft vpn up.`,
    },
  ]
}

/** Of a profile that is shown before it is used: by its use alone the machine would be cut off. */
export function shutWarnings({ name }: Profile, resolved: ResolvedFields): readonly Fault[] {
  if (resolved.killSwitch === 'off' || resolved.tun === 'on') return []
  const beside = resolved.killSwitch === 'allow-lan' ? ' but the local network' : ''
  const mend = isBuiltIn(name) ? `${settingOf('tun')} = "on" in weft.toml` : `weft vpn profile set ${name} --tun on`
  return [
    {
      code: 'E_PROFILE_SHUT',
      cause: `The profile '${name}' wants the kill switch and no tunnel: as soon as it is used nothing of this machine gets out${beside} except what programs send to Weft's proxy.`,
      fix: `Where the whole machine is to go through the VPN: ${mend}, before it is used. Where only the proxy is to be used there is nothing to do; another profile, without the kill switch, opens the machine again.`,
    },
  ]
}

/** The profile in use wants the kill switch, which is off: somebody took it off. */
export function killSwitchMissing(name: string): Fault {
  return {
    code: 'E_KILL_SWITCH_OFF',
    cause: `The profile '${name}' wants the kill switch, and it is off: somebody took it off, and nothing is held back.`,
    fix: `weft vpn up, or weft vpn profile use ${name}, puts it on again. Where it is to stay off, use a profile that does not want it.`,
  }
}

/** Of a profile from elsewhere that names what is of this machine, which no export has in it. */
export function foreignWarnings({ fields }: Profile): readonly Fault[] {
  const named = OF_THIS_MACHINE.flatMap((field) => {
    const list = (fields[field] ?? []) as readonly string[]
    return list.length === 0
      ? []
      : `${field} ${list.slice(0, MOST_NAMED).join(', ')}${list.length > MOST_NAMED ? ' and more' : ''}`
  })
  if (named.length === 0) return []
  return [
    {
      code: 'E_PROFILE_FOREIGN',
      cause: `The document says which users or programs of this machine go beside the tunnel, or alone through it: ${named.join('; ')}. What weft vpn profile export writes never does: somebody put that in.`,
      fix: 'Ask whoever it is from what it is for, or leave these fields out of the document before it is imported.',
    },
  ]
}

/** Of a list, that are named. */
const MOST_NAMED = 4
