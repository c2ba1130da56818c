import { shareExceeded } from './blob-error.ts'

/** Part of the quota that peers outside of the map may take together, and one of them: the rest stays for members. */
const STRANGERS_PART = 1 / 2
const STRANGER_PART = 1 / 4
/**
 * A stranger's only shard of at most so many bytes is on trial: it may go over the strangers' part and over the quota,
 * but cannot be committed there. So a validator, who checks holders as a stranger, finds one that is full able to keep
 * a shard, and leaves it in the map. What such shards take is bounded by the streams that they need.
 */
const TRIAL_LENGTH = 128 * 1024

interface Account {
  bytes: number
  stranger: boolean
}

/** What each peer takes of the quota, stored and being stored, in bytes as the quota counts them. */
export class PeerShares {
  readonly #quotaBytes: number
  readonly #isMember: (peer: string) => boolean
  readonly #accounts = new Map<string, Account>()
  #strangers = 0

  /** @param isMember whether a peer is in the map; asked again with each put and commit. */
  constructor(quotaBytes: number, isMember: (peer: string) => boolean) {
    this.#quotaBytes = quotaBytes
    this.#isMember = isMember
  }

  /** @throws WeftError E_QUOTA when the peer may not take `charge` more for a shard of `length` bytes */
  check(peer: string, length: number, charge: number): void {
    const { bytes, stranger } = this.#account(peer)
    if (!stranger) return
    const one = Math.floor(this.#quotaBytes * STRANGER_PART)
    if (bytes + charge > one) {
      throw shareExceeded(
        `a node outside of the map may have ${one} bytes here; it has ${bytes} and asks for ${charge}`,
      )
    }
    if (!this.isTrial(peer, length) && this.#strangers + charge > this.#most) throw this.#full()
  }

  /** Whether a shard of `length` bytes would be the only one of a stranger, and small enough to be on trial. */
  isTrial(peer: string, length: number): boolean {
    const { bytes, stranger } = this.#account(peer)
    return stranger && bytes === 0 && length <= TRIAL_LENGTH
  }

  isStranger(peer: string): boolean {
    return this.#account(peer).stranger
  }

  /** @throws WeftError E_QUOTA when what the peer put may not stay */
  checkCommit(peer: string): void {
    if (this.#account(peer).stranger && this.#strangers > this.#most) throw this.#full()
  }

  /** Adds to what the peer takes; negative to give back. */
  add(peer: string, charge: number): void {
    const account = this.#account(peer)
    account.bytes += charge
    if (account.stranger) this.#strangers += charge
    if (account.bytes > 0) this.#accounts.set(peer, account)
    else this.#accounts.delete(peer)
  }

  get #most(): number {
    return Math.floor(this.#quotaBytes * STRANGERS_PART)
  }

  /** The peer's account, moved to where it belongs when the peer joined or left the map since. */
  #account(peer: string): Account {
    const stranger = !this.#isMember(peer)
    const account = this.#accounts.get(peer) ?? { bytes: 0, stranger }
    if (account.stranger !== stranger) {
      this.#strangers += stranger ? account.bytes : -account.bytes
      account.stranger = stranger
    }
    return account
  }

  #full(): ReturnType<typeof shareExceeded> {
    return shareExceeded(
      `${this.#strangers} of the ${this.#most} bytes that it keeps for nodes outside of the map are taken`,
    )
  }
}
