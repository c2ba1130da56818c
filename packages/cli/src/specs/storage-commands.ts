import type { CommandSpec } from '../program/command-spec.ts'
import { HOME, TIMEOUT } from './common-options.ts'

const CLASSES = ['tiny', 'small', 'medium', 'standard', 'vault'] as const

const PRIVATE = 'over three nodes, so that no holder learns the address of this one; slower'

/** Objects: store, fetch, look at, keep, remove, and take all of them along. */
export const STORAGE_COMMANDS: readonly CommandSpec[] = [
  {
    words: ['put'],
    summary: 'store a file and print its reference',
    arguments: [{ name: '<file>', description: 'a file, or - for standard input' }],
    options: [
      { flags: '--name <name>', description: "the object's name (default: the file's)" },
      {
        flags: '--class <class>',
        description: 'how many holders may fail (default: by the size of the network)',
        choices: CLASSES,
      },
      {
        flags: '--ttl <time>',
        description: 'how long it is kept, e.g. 7d (default: 30d, at most 365d; 31d if this node is not in the map)',
      },
      { flags: '--private', description: PRIVATE },
      TIMEOUT,
      HOME,
    ],
    examples: [
      'weft put photo.jpg',
      'weft put --private photo.jpg',
      'tar -c notes | weft put - --name notes.tar --ttl 7d',
    ],
    notes:
      'Whoever has the reference can read the object: the part behind # is its key. Interrupting a put leaves nothing behind.',
    load: () => import('../commands/put.ts'),
  },
  {
    words: ['get'],
    summary: 'fetch an object',
    arguments: [
      { name: '<ref>', description: 'weft://network/object#key in quotes, or - to read it from standard input' },
    ],
    options: [
      {
        flags: '-o, --output <file>',
        description: 'where to write it; - is standard output (default: standard output, unless it is a terminal)',
      },
      { flags: '--force', description: 'overwrite a file that exists' },
      { flags: '--private', description: PRIVATE },
      TIMEOUT,
      HOME,
    ],
    examples: ["weft get 'weft://…' -o photo.jpg", 'weft get - -o photo.jpg < photo.ref'],
    notes:
      'The file appears under its name only when it is whole and verified. Other users of this machine can read a command line while it runs, and with it the key in the reference; - keeps it out of there.',
    load: () => import('../commands/get.ts'),
  },
  {
    words: ['ls'],
    summary: 'list what this node has stored',
    options: [HOME],
    examples: ['weft ls', 'weft ls --json'],
    load: () => import('../commands/ls.ts'),
  },
  {
    words: ['stat'],
    summary: 'show where the shards of an object are and whether they are there',
    arguments: [
      { name: '<ref>', description: 'weft://network/object#key in quotes, or - to read it from standard input' },
    ],
    options: [
      { flags: '--wait', description: 'wait until it is healthy' },
      { flags: '--from <segment>', description: 'the first segment to look at; 256 are shown (default: 0)' },
      { flags: '--private', description: PRIVATE },
      { ...TIMEOUT, fallback: '60s' },
      HOME,
    ],
    examples: ["weft stat 'weft://…'", 'weft stat - --wait --timeout 60s < photo.ref'],
    load: () => import('../commands/stat.ts'),
  },
  {
    words: ['renew'],
    summary: 'keep an object that this node has stored for longer: its records and its holders get a later end',
    arguments: [
      { name: '<object>', description: 'its name, its id, or its reference in quotes; - reads it from standard input' },
    ],
    options: [
      {
        flags: '--for <time>',
        description:
          'how long from now, e.g. 90d (default: 30d, at most 365d; 31d if this node is not in the map or stored it privately)',
      },
      TIMEOUT,
      HOME,
    ],
    examples: ['weft renew photo.jpg --for 90d', 'weft renew - --for 365d < photo.ref'],
    notes:
      'Nothing is ever shortened. Holders that are away are told by the daemon when they are there again; it goes on if the command is interrupted.',
    load: () => import('../commands/renew.ts'),
  },
  {
    words: ['rm'],
    summary:
      'remove an object that this node has stored: its key is destroyed, its holders delete it and sign that they did',
    arguments: [
      { name: '<object>', description: 'its name, its id, or its reference in quotes; - reads it from standard input' },
    ],
    options: [
      { flags: '--yes', description: 'do not ask' },
      { flags: '--proof', description: 'print what the holders signed, also of an object that was removed before' },
      TIMEOUT,
      HOME,
    ],
    examples: ['weft rm photo.jpg', 'weft rm --yes --proof photo.jpg', 'weft rm --proof photo.jpg --json'],
    notes:
      'It cannot be taken back, and goes on if the command is interrupted. Holders that are away are asked by the daemon when they are there again. Nobody can prove that a holder kept no copy: what makes one useless is that the key is destroyed. Copies of the reference that you gave away are not.',
    load: () => import('../commands/rm.ts'),
  },
  {
    words: ['export'],
    summary: 'write everything that this node has stored, and the keys that own it, into one sealed file',
    arguments: [{ name: '<file>', description: 'the file; - is standard output' }],
    options: [
      {
        flags: '--passphrase-file <file>',
        description: 'seal it under the first line of a file (default: one is made)',
      },
      { flags: '--keys-only', description: 'the keys of objects alone, without their bytes, and no buckets' },
      { flags: '--force', description: 'overwrite a file that exists' },
      TIMEOUT,
      HOME,
    ],
    examples: ['weft export everything.tar.age', 'weft export --keys-only --passphrase-file secret keys.tar.age'],
    notes:
      'The file appears when it is whole. It opens with its passphrase alone, also without Weft: age -d everything.tar.age | tar -x',
    load: () => import('../commands/export.ts'),
  },
  {
    words: ['import'],
    summary: 'take back what weft export wrote: here, on another node, or in another network',
    arguments: [{ name: '<file>', description: 'the file; - is standard input' }],
    options: [
      {
        flags: '--passphrase-file <file>',
        description: 'its passphrase is the first line of a file (default: asked for)',
      },
      TIMEOUT,
      HOME,
    ],
    examples: ['weft import everything.tar.age', 'weft import --passphrase-file secret keys.tar.age'],
    notes:
      'Objects that the network has still are owned by this node, too, from then on; others are stored anew, under new references. Nothing is overwritten. What was imported stays if it is interrupted; import it again to go on.',
    load: () => import('../commands/import.ts'),
  },
]
