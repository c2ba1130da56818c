import type { ConnectionEncrypter } from '@libp2p/interface'
import type { noise } from '@libp2p/noise'

/** What libp2p hands to an encrypter when it is made. */
export type NoiseComponents = Parameters<ReturnType<typeof noise>>[0]

/** Noise, loaded when the first connection speaks it: with its WebAssembly it takes 3 MB, and most nodes never meet it. */
export function lazyNoise(components: NoiseComponents): ConnectionEncrypter {
  let made: Promise<ConnectionEncrypter> | undefined
  const encrypter = (): Promise<ConnectionEncrypter> =>
    (made ??= import('@libp2p/noise').then((module) => module.noise()(components)))
  return {
    protocol: '/noise',
    secureInbound: async (connection, options) => (await encrypter()).secureInbound(connection, options),
    secureOutbound: async (connection, options) => (await encrypter()).secureOutbound(connection, options),
  }
}
