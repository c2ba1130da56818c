import { createInterface } from 'node:readline'
import { seededRandom } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import {
  authorizeCommit,
  authorizePut,
  authorizeRelease,
  authorizeRemove,
} from '../../src/holder/shard-authorization.ts'
import { holderFixture } from '../holder/holder-fixture.ts'
import { bytesOf, lengths } from './kill-bytes.ts'

/**
 * The child of the kill tests: a holder and six clients in it, who put objects without end and print one line after each
 * answer: `<number of the object> <what was answered>`. Keys and bytes follow from the number. It waits for a line with the
 * directory, the first number and the expiry, so that it can be started before it is needed.
 */
const [line] = await Array.fromAsync(firstLine())
const [directory = '', first = '0', expiresAt = '0'] = line?.split(' ') ?? []
const fixture = await holderFixture({ root: directory, quotaBytes: 2 ** 33 })

const say = (number: number, what: string): boolean => process.stdout.write(`${number} ${what}\n`)

await Promise.all(
  Array.from({ length: 6 }, async (_, writer) => {
    const client = fixture.connect()
    for (let at = 0; ; at++) {
      const number = Number(first) + at * 6 + writer
      const key = new SigningKey(seededRandom(number).bytes(32))
      const object = key.publicKey
      client.authorize(authorizePut(key, fixture.peer.id))
      for (const segment of lengths.keys()) {
        await client.put({ object, segment, index: 0 }, bytesOf(number, segment))
        say(number, `put${segment}`)
      }
      if (at % 4 === 1) continue
      await client.commit(authorizeCommit(key, Number(expiresAt)))
      say(number, 'committed')
      if (at % 4 === 2) {
        say(number, 'leaving')
        await client.release(authorizeRelease(key))
        say(number, 'released')
      } else if (at % 4 === 3) {
        say(number, 'leaving')
        await client.remove(authorizeRemove(key, Number(expiresAt)))
        say(number, 'removed')
      }
    }
  }),
)

async function* firstLine(): AsyncGenerator<string> {
  for await (const text of createInterface({ input: process.stdin })) {
    yield text
    return
  }
}
