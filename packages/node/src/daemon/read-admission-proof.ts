import { readFileSync } from 'node:fs'
import { WeftError, messageOf } from '@weft/core'
import { type AdmissionProof, decodeAdmissionProof } from '@weft/overlay'

/** What `weft network join` left in the home; undefined where there is nothing. @throws WeftError E_ADMISSION_PROOF */
export function readAdmissionProof(path: string): AdmissionProof | undefined {
  let bytes: Uint8Array
  try {
    bytes = new Uint8Array(readFileSync(path))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw damaged(path, error)
  }
  try {
    return decodeAdmissionProof(bytes)
  } catch (error) {
    throw damaged(path, error)
  }
}

function damaged(path: string, error: unknown): WeftError {
  return new WeftError({
    code: 'E_ADMISSION_PROOF',
    cause: `${path}: ${messageOf(error)}`,
    fix: 'Join again with a token of the network (weft network join -), or remove the file to start without it.',
    origin: error,
  })
}
