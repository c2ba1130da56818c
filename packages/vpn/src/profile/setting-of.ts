import type { ProfileField } from './profile.ts'

/** The setting that says what a field does where a profile leaves it out: `vpn.tun_exclude_users`. */
export function settingOf(field: ProfileField): string {
  return `vpn.${field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`
}
