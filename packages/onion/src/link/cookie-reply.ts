import { type Random, utf8 } from '@weft/core'
import { Aead } from '../packet/aead.ts'
import type { Packet } from '../packet/packet.ts'
import { blake2s } from './blake2s.ts'
import { COOKIE_BYTES } from './cookie.ts'
import { readHiddenReply, writeHiddenReply } from './hidden-reply.ts'
import { initiationIndex, initiationTag } from './initiation-packet.ts'

const COOKIE_KEY = utf8('weft:link:cookie:v1\0')
const COOKIE_TYPE = 3

/**
 * Cookie replies of one responder, written or read (WireGuard's paper, section 5.4.7): sealed under a key that follows from its link key, and bound to the
 * initiation by its tag, so that only who saw that initiation makes one that the initiator takes.
 */
export class CookieReplies {
  readonly #key: Aead
  readonly #random: Random

  constructor(responderKey: Uint8Array, random: Random) {
    this.#key = new Aead(blake2s(COOKIE_KEY, responderKey))
    this.#random = random
  }

  /** Writes the reply to an opened initiation into another slot. */
  write(reply: Packet, initiation: Packet, cookie: Uint8Array): void {
    const message = { index: initiationIndex(initiation), type: COOKIE_TYPE, content: cookie }
    writeHiddenReply(reply, this.#key, initiationTag(initiation), message, this.#random)
  }

  /** The cookie; undefined when the packet is no reply to the initiation of this tag. The packet is not changed. */
  read(reply: Packet, tag: Uint8Array): Uint8Array | undefined {
    return readHiddenReply(reply, this.#key, tag, COOKIE_TYPE, COOKIE_BYTES)
  }

  wipe(): void {
    this.#key.wipe()
  }
}
