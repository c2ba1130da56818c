import type { PrivateKey } from '@libp2p/interface'
import { randomInt } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import { toPrivateKey } from '../../src/transport/peer-id.ts'
import { createHostCertificate } from '../../src/transport/tls/host-certificate.ts'
import type { Attempt, Doors } from './doors.ts'
import type { ImpostorScene } from './impostor-scene.ts'
import { mutateBytes } from './mutate-bytes.ts'

/** Certificates of TLS handshakes in the name of a member whose node key somebody else has. */
export const HANDSHAKE_ATTEMPTS: Readonly<
  Record<string, (scene: ImpostorScene, doors: Doors) => Attempt | Promise<Attempt>>
> = {
  'forged: another key vouches for the TLS key': (scene) => {
    const stranger = toPrivateKey(scene.strangeKey())
    return inTheNameOf(victim(scene), (bytes) => stranger.sign(bytes))
  },
  'forged: any bytes in place of the signature': (scene) => inTheNameOf(victim(scene), () => scene.random.bytes(64)),
  'replayed: what the member signed for its own TLS key': async (scene) => {
    const member = victim(scene)
    const elsewhere = new Uint8Array(await toPrivateKey(member).sign(scene.random.bytes(91)))
    return inTheNameOf(member, () => elsewhere)
  },
  'mutated: bytes of the right one': (scene, doors) => ({
    door: 'handshake',
    bytes: mutateBytes(scene.random, doors.hosts.get(victim(scene).id) as Uint8Array),
  }),
}

function victim({ random, quorum }: ImpostorScene): SigningKey {
  return quorum[randomInt(random, quorum.length)] as SigningKey
}

async function inTheNameOf(
  key: SigningKey,
  sign: (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>,
): Promise<Attempt> {
  const { type, publicKey, raw } = toPrivateKey(key)
  const identity = { type, publicKey, raw, equals: () => false, sign: (bytes: Uint8Array) => sign(bytes) } as PrivateKey
  return { door: 'handshake', bytes: (await createHostCertificate(identity)).certificate }
}
