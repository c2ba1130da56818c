import { type Fault, WeftError } from '@weft/core'

/** @param why a half sentence about what is wrong; never a key or a name out of the archive */
export function archiveInvalid(why: string): WeftError {
  return new WeftError({
    code: 'E_ARCHIVE_INVALID',
    cause: `This is no whole archive of Weft: ${why}.`,
    fix: 'Take a file that `weft export` wrote and that was copied whole. What was imported before stays, whole objects only.',
  })
}

export function archiveVersion(version: unknown): WeftError {
  return new WeftError({
    code: 'E_ARCHIVE_VERSION',
    cause: `The archive is of version ${JSON.stringify(version)?.slice(0, 32)}; this Weft reads version 1.`,
    fix: 'Import it with the Weft that wrote it, or a newer one.',
  })
}

/** @param why what the archive says of it */
export function noContent(why: string | undefined): Fault {
  return {
    code: 'E_ARCHIVE_CONTENT',
    cause: `The archive does not have its bytes (${why === undefined || why === 'left-out' ? 'it was made without them' : why.slice(0, 64)}), and they are not in this network.`,
    fix: 'Import an archive that has them, or ask in the network that it was put in.',
  }
}
