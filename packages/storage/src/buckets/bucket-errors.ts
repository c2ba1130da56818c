import { WeftError } from '@weft/core'

// What requests for named objects are refused with. Keys may be secrets of a person: no error repeats one.

export function bucketName(name: string): WeftError {
  return new WeftError({
    code: 'E_BUCKET_NAME',
    cause: `'${name.slice(0, 64)}' is no name of a bucket.`,
    fix: "Give 3 to 63 characters of a-z, 0-9, '.' and '-' that begin and end with a letter or digit.",
  })
}

export function bucketUnknown(name: string): WeftError {
  return new WeftError({
    code: 'E_BUCKET_UNKNOWN',
    cause: `There is no bucket '${name.slice(0, 64)}'.`,
    fix: 'Make it first, or check its name.',
  })
}

export function bucketExists(name: string): WeftError {
  return new WeftError({
    code: 'E_BUCKET_EXISTS',
    cause: `There is a bucket '${name}' already.`,
    fix: 'Use it, or take another name.',
  })
}

export function bucketNotEmpty(name: string): WeftError {
  return new WeftError({
    code: 'E_BUCKET_NOT_EMPTY',
    cause: `The bucket '${name}' has objects, older versions, delete markers or uploads.`,
    fix: 'Delete all versions and markers, and abort its uploads.',
  })
}

export function keyName(): WeftError {
  return new WeftError({
    code: 'E_KEY_NAME',
    cause: 'The key is empty, too long or no well-formed text.',
    fix: 'Give 1 to 1,024 bytes of UTF-8.',
  })
}

/** @param marker the version of the delete marker that is the latest, if that is why. */
export function keyUnknown(marker?: string): WeftError {
  return new WeftError({
    code: 'E_KEY_UNKNOWN',
    cause: marker === undefined ? 'The bucket has no object of that key.' : 'The object of that key was deleted.',
    fix: marker === undefined ? 'Check the key.' : 'Ask for an older version, or put it again.',
    details: { deleteMarker: marker !== undefined, ...(marker !== undefined && { version: marker }) },
  })
}

export function versionUnknown(): WeftError {
  return new WeftError({
    code: 'E_VERSION_UNKNOWN',
    cause: 'The object has no such version.',
    fix: 'List the versions of the bucket.',
  })
}

export function preconditionFailed(): WeftError {
  return new WeftError({
    code: 'E_PRECONDITION',
    cause: 'The condition of the request does not hold for the latest version.',
    fix: 'Look at the object again and decide anew.',
  })
}

export function uploadUnknown(): WeftError {
  return new WeftError({
    code: 'E_UPLOAD_UNKNOWN',
    cause: 'The key has no such upload: it was completed or aborted, or never begun.',
    fix: 'Begin an upload, or list those that are open.',
  })
}

export function partUnknown(number: number): WeftError {
  return new WeftError({
    code: 'E_PART_UNKNOWN',
    cause: `The upload has no part ${number}, or it has another ETag or checksum.`,
    fix: 'Put the part again; parts have numbers from 1 to 10,000.',
    details: { part: number },
  })
}

export function partOrder(): WeftError {
  return new WeftError({
    code: 'E_PART_ORDER',
    cause: 'The parts are not named in ascending order.',
    fix: 'Name them by ascending number, each once.',
  })
}

export function partSmall(number: number, size: number): WeftError {
  return new WeftError({
    code: 'E_PART_SMALL',
    cause: `Part ${number} has ${size} bytes; all but the last have 5 MiB at least.`,
    fix: 'Put larger parts.',
    details: { part: number, size },
  })
}

/** @param what there is too much of, and how much there may be. */
export function overQuota(what: string): WeftError {
  return new WeftError({ code: 'E_QUOTA', cause: `${what}.`, fix: 'Delete what is no longer needed, or give less.' })
}
