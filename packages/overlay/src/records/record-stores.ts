import { type Clock, type Logger, type Scope, WeftError, ensureDirectory, messageOf } from '@weft/core'
import type { RecordTable } from './record-table.ts'
import { SeenSequences } from './seen-sequences.ts'
import type { SequenceMemory } from './sequence-memory.ts'
import { SqliteRecordTable } from './sqlite-record-table.ts'

/** What the records of a node are kept in. */
export interface RecordStores {
  readonly seen: SequenceMemory
  /** Undefined for a node that holds none. */
  readonly table: RecordTable | undefined
}

export interface RecordFilesOptions {
  /** Made when it does not exist. */
  readonly directory: string
  readonly holder: boolean
  readonly clock: Clock
  readonly logger: Logger
  /** Closes the files. */
  readonly scope: Scope
}

/** Opens the files of SQLite in a directory. @throws WeftError E_DATABASE, E_DISK_FULL, E_STATE_UNWRITABLE */
export async function openRecordFiles(options: RecordFilesOptions): Promise<RecordStores> {
  const { directory, holder, clock, logger, scope } = options
  try {
    ensureDirectory(directory)
  } catch (error) {
    throw new WeftError({
      code: 'E_STATE_UNWRITABLE',
      cause: `The directory ${directory} cannot be made: ${messageOf(error)}.`,
      fix: 'Give the daemon a state directory that it may write to (WEFT_HOME or --home).',
    })
  }
  const seen = scope.use('seen records', new SeenSequences(directory, clock, logger))
  return { seen, table: holder ? await SqliteRecordTable.open(directory, scope) : undefined }
}
