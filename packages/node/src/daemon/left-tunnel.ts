import { statePaths } from './state-directory.ts'

/** Whether rules that a daemon of `home` left, which was killed, let nothing leave this machine; unknown to who may not look. */
export async function leftTunnel(home: string): Promise<'none' | 'standing' | 'unknown'> {
  const { leftRules } = await import('@weft/vpn')
  return leftRules(statePaths(home).tun)
}
