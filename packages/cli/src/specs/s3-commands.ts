import type { CommandSpec } from '../program/command-spec.ts'
import { HOME, TIMEOUT } from './common-options.ts'

/** The S3 API: who may use it. */
export const S3_COMMANDS: readonly CommandSpec[] = [
  {
    words: ['s3', 'key', 'create'],
    summary: 'make a key for a program that speaks S3, and start the S3 API',
    options: [
      { flags: '--bucket <name>', description: 'for this bucket alone; may be given several times', repeats: true },
      { flags: '--read-only', description: 'for reading alone' },
      { flags: '--name <name>', description: 'to tell it from others' },
      HOME,
    ],
    examples: ['weft s3 key create --name restic --bucket backups', 'weft s3 key create --read-only --json'],
    notes:
      'The secret is printed this once. Clients want the endpoint (weft status shows it), any region, and buckets in the path, or below localhost.',
    load: () => import('../commands/s3-key-create.ts'),
  },
  {
    words: ['s3', 'key', 'list'],
    summary: 'list the keys of the S3 API (never their secrets)',
    options: [HOME],
    examples: ['weft s3 key list'],
    load: () => import('../commands/s3-key-list.ts'),
  },
  {
    words: ['s3', 'key', 'revoke'],
    summary: 'make a key of the S3 API void at once',
    arguments: [{ name: '<key>', description: 'its id or name, as weft s3 key list prints them' }],
    options: [HOME],
    examples: ['weft s3 key revoke restic'],
    load: () => import('../commands/s3-key-revoke.ts'),
  },
  {
    words: ['s3', 'takeover'],
    summary: 'make this machine the one that writes your buckets, in the place of another machine of yours',
    options: [{ flags: '--yes', description: 'do not ask' }, TIMEOUT, HOME],
    examples: ['weft s3 takeover', 'weft s3 takeover --yes --json'],
    notes:
      'It takes what the network has of your buckets; what only this machine has written is given up. The other machine may only read from then on, until it takes over again. It goes on if the command is interrupted.',
    load: () => import('../commands/s3-takeover.ts'),
  },
]
