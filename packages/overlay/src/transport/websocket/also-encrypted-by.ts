import type { ConnectionEncrypter, Upgrader } from '@libp2p/interface'

/**
 * libp2p's upgrader, which on these connections also takes what `encrypter` speaks. An upgrader has one list for all
 * transports; where Noise stands in it, whoever is between two nodes could make them use it on TCP as well (ADR 7).
 */
export function alsoEncryptedBy(upgrader: Upgrader, encrypter: ConnectionEncrypter): Upgrader {
  const encrypters = new Map(upgrader.getConnectionEncrypters()).set(encrypter.protocol, encrypter)
  return Object.create(upgrader, { connectionEncrypters: { value: encrypters } }) as Upgrader
}
