import { randomInt, shuffled } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import { MapChangesSchema, type Signature, type SignedMap, SignedMapSchema, create, encodeMessage } from '@weft/wire'
import type { CertificateBody } from '../../src/admission/certificate-body.ts'
import { packMessage } from '../../src/map/packed-message.ts'
import { between } from './certificate-attempts.ts'
import type { Attempt } from './doors.ts'
import { ANCIENT, HELD, type ImpostorScene, SECOND_TERM, type WholeMap, entriesOf } from './impostor-scene.ts'
import { mutateBytes } from './mutate-bytes.ts'

type Signatures = readonly Pick<Signature, 'signer' | 'signature'>[]

/** Maps, and changes of maps, that a member must not take. */
export const MAP_ATTEMPTS: Readonly<Record<string, (scene: ImpostorScene) => Attempt>> = {
  'forged: a map with an impostor, signed by few': (scene) => {
    const { map, entries } = scene.map(withImpostor(scene), HELD + 1, [])
    return sent({ map: signed(map, fewSignatures(scene, map)), entries })
  },
  'forged: a map with an impostor, signatures of the right one': (scene) => {
    const { map, entries } = scene.map(withImpostor(scene), HELD + 1, [])
    return sent({ map: signed(map, [...scene.next.map.signatures, ...signaturesOf(scene.hostile, map)]), entries })
  },
  'forged: the next map, by all validators of the term before': (scene) =>
    sent(scene.map(withImpostor(scene), HELD + 1, [...scene.former, ...scene.hostile])),
  'forged: a map of now by all validators of the term before, to a node that holds none': (scene) => {
    const epoch = between(scene.random, SECOND_TERM, HELD + 1)
    return sentFirst(scene.map(withImpostor(scene), epoch, [...scene.former, ...scene.hostile]))
  },
  'forged: the right map, an impostor among its entries': (scene) =>
    sent({ map: scene.next.map, entries: entriesOf(withImpostor(scene)) }),
  'forged: the right map, an impostor in the place of a member': (scene) => {
    const bodies = shuffled(scene.random, scene.nextBodies).slice(1)
    return sent({ map: scene.next.map, entries: entriesOf([...bodies, scene.impostor()]) })
  },
  'forged: the right map, an impostor in what changed': (scene) =>
    changed(scene.next.map, [], [...arrivals(scene), scene.impostor()]),
  'forged: the right map, an impostor in what changed in place of the newcomer': (scene) =>
    changed(scene.next.map, [], [scene.nextBodies.at(-2) as CertificateBody, scene.impostor()]),
  'forged: the right map, a member put out by what changed': (scene) => {
    const gone = scene.heldBodies[randomInt(scene.random, scene.heldBodies.length)] as CertificateBody
    return changed(scene.next.map, [gone.key], [...arrivals(scene), scene.impostor()])
  },
  'expired: a map of more than 14 days, to a node that holds none': (scene) => {
    const epoch = between(scene.random, 1, ANCIENT)
    return sentFirst(scene.map([...scene.heldBodies, scene.body('departed')], epoch, scene.former))
  },
  'replayed: a map of before, in which one was that left': (scene) =>
    sent(scene.map([...scene.heldBodies, scene.body('departed')], between(scene.random, SECOND_TERM, HELD))),
  'cross-network: a map of another network by the same validators': (scene) =>
    sent(
      scene.map(
        withImpostor(scene).map((body) => ({ ...body, network: scene.twin.id })),
        HELD + 1,
        scene.quorum,
        scene.twin,
      ),
    ),
  'cross-network: the same with entries of this network': (scene) =>
    sent(scene.map(withImpostor(scene), HELD + 1, scene.quorum, scene.twin)),
  'cross-network: signatures of there under a map of here': (scene) => {
    const bodies = withImpostor(scene)
    const there = scene.map(bodies, HELD + 1, scene.quorum, scene.twin)
    const { map, entries } = scene.map(bodies, HELD + 1, scene.hostile)
    return sent({ map: signed(map, [...there.map.signatures, ...map.signatures]), entries })
  },
  'mutated: bytes of the right map': (scene) => {
    const { map, entries } = scene.next
    return { door: 'map', bytes: mutateBytes(scene.random, encodeMessage(SignedMapSchema, map)), entries }
  },
  'mutated: bytes of the right body, well-formed around it': (scene) => {
    const { map, entries } = scene.next
    return sent({ map: create(SignedMapSchema, { ...map, body: mutateBytes(scene.random, map.body) }), entries })
  },
  'mutated: bytes of an entry': (scene) => {
    const { map, entries } = scene.next
    const at = randomInt(scene.random, entries.length)
    return sent({
      map,
      entries: entries.map((entry, place) => (place === at ? mutateBytes(scene.random, entry) : entry)),
    })
  },
  'mutated: bytes of what changed': (scene) => {
    const attempt = changed(scene.next.map, [], arrivals(scene))
    return { ...attempt, packed: mutateBytes(scene.random, attempt.packed) }
  },
}

/** The next map of the scene as a member gets it, and so that an attempt that is none is taken. */
export function rightChanges(scene: ImpostorScene): Attempt {
  return changed(scene.next.map, [], arrivals(scene))
}

/** What the next map has and the held one has not. */
function arrivals({ nextBodies }: ImpostorScene): readonly CertificateBody[] {
  return nextBodies.slice(-2)
}

function withImpostor(scene: ImpostorScene): readonly CertificateBody[] {
  return [...scene.nextBodies, scene.impostor()]
}

export function sent({ map, entries }: WholeMap): Attempt {
  return { door: 'map', bytes: encodeMessage(SignedMapSchema, map), entries }
}

export function sentFirst({ map, entries }: WholeMap): Attempt {
  return { door: 'first map', bytes: encodeMessage(SignedMapSchema, map), entries }
}

function changed(
  map: SignedMap,
  removed: readonly Uint8Array[],
  bodies: readonly CertificateBody[],
): Extract<Attempt, { door: 'changes' }> {
  const packed = packMessage(MapChangesSchema, { removed: [...removed], entries: entriesOf(bodies) })
  return { door: 'changes', bytes: encodeMessage(SignedMapSchema, map), packed }
}

function signed({ body }: SignedMap, signatures: Signatures): SignedMap {
  return create(SignedMapSchema, { body, signatures: signatures.map((each) => ({ ...each })) })
}

function signaturesOf(keys: readonly SigningKey[], { body }: SignedMap): Signatures {
  return keys.map((key) => ({ signer: key.publicKey, signature: key.sign('map', body) }))
}

function fewSignatures(scene: ImpostorScene, map: SignedMap): Signatures {
  const { random, hostile, former, present } = scene
  const own = signaturesOf(hostile, map)
  const stranger = scene.strangeKey()
  const signature = stranger.sign('map', map.body)
  const named = present.map(({ publicKey }) => ({ signer: publicKey, signature }))
  const others = named.slice(randomInt(random, named.length))
  return shuffled(random, [...own, ...own, ...signaturesOf([stranger, ...former], map), ...others])
}
