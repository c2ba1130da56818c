import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { counted, WeftError } from '@weft/core'
import { devnetStatus, type DevnetState, killNode } from '@weft/devnet'
import { chooseVictims, type HeldObject, holdersOf } from './choose-victims.ts'
import { megabytes, type Narrator } from './narrator.ts'
import type { WeftCommand } from './run-weft.ts'
import { chooseTourFile, hashFile } from './tour-file.ts'

/** How long what was restarted may take until everything is healthy again. */
const HEAL = '90s'
/**
 * The stored file takes three times its size. Until it expires there is time to look at it; shorter than that, a slow
 * machine would lose it in the middle of the tour.
 */
const TTL = '15m'

/**
 * The file road, done once on a real file: store it, kill as many of its holders as its class bears, fetch it, compare,
 * and wait until all is healthy again. @returns the reference of the stored file
 */
export async function fileRoad(state: DevnetState, weft: WeftCommand, narrator: Narrator): Promise<string> {
  const home = ['--home', join(state.directory, 'client')]
  const file = await chooseTourFile(state.directory)

  narrator.line()
  const { ref } = await narrator.step(
    `Store a file: ${file.path} (${megabytes(file.size)}, ${file.words})`,
    () => weft.json<{ ref: string }>('put', file.path, '--name', 'tour', '--class', 'tiny', '--ttl', TTL, ...home),
    () => `encrypted here, cut into segments, each coded into 9 shards of which any 3 restore it, on 9 nodes`,
  )

  const object = await narrator.step(
    'Look where it is',
    () => weft.json<HeldObject>('stat', ref, ...home),
    ({ segments }) =>
      `${counted(segments.length, 'segment')}, ${segments.reduce((sum, { shards }) => sum + shards.length, 0)} shards, all of them stored`,
  )
  narrator.detail(
    `holders: ${holdersOf(object, state.nodes)
      .map(({ name }) => name)
      .join(', ')}`,
  )

  const { n, k } = object.class
  const victims = chooseVictims(object, state.nodes)
  await narrator.step(
    `Kill ${victims.length} of the holders with SIGKILL, all that class ${object.class.name} bears to lose (${n} - ${k})`,
    async () => {
      for (const { name } of victims) {
        const { pid } = await killNode(state, name)
        narrator.detail(`killed ${name}, process ${pid}`)
      }
    },
    () => `${state.nodes.length - victims.length} of ${state.nodes.length} processes left`,
  )

  const back = join(state.directory, 'tour', 'back.bin')
  await mkdir(join(state.directory, 'tour'), { recursive: true, mode: 0o700 })
  await rm(back, { force: true })
  await narrator.step(
    'Fetch the file from what is left, and compare',
    async () => {
      await weft.json('get', ref, '-o', back, ...home)
      const sha256 = await hashFile(back)
      if (sha256 !== file.sha256) throw differsError(file.sha256, sha256)
      return sha256
    },
    (sha256) => `SHA-256 equal: ${sha256}`,
  )
  await rm(back, { force: true })

  await narrator.step(
    'Start the killed nodes again, and wait until all is healthy',
    async () => {
      await weft.json('devnet', 'restart', ...victims.map(({ name }) => name), '--dir', state.directory)
      await weft.json('stat', ref, '--wait', '--timeout', HEAL, ...home)
      await weft.json('check', '--wait', '--timeout', HEAL, ...home)
      const { view } = await devnetStatus(state)
      return view
    },
    (view) =>
      `every shard is back; ${(view?.members ?? 0) - (view?.missing.length ?? 0)} of ${view?.members ?? 0} members in the signed map`,
  )
  return ref
}

function differsError(put: string, got: string): WeftError {
  return new WeftError({
    code: 'E_TOUR_DIFFERS',
    cause: `The file that came back is another: SHA-256 ${got} in place of ${put}.`,
    fix: 'This is a defect of Weft: report it with the logs of the nodes.',
  })
}
