import { LOG_SCHEMA } from './log-table.ts'

/** The file of the catalog. In clear are numbers of rows, how they belong together, and ids of objects. */
export const CATALOG_SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA secure_delete = ON;
  CREATE TABLE IF NOT EXISTS buckets (id INTEGER PRIMARY KEY, sealed BLOB NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS versions (
    id INTEGER PRIMARY KEY,
    bucket INTEGER NOT NULL,
    is_null INTEGER NOT NULL,
    marker INTEGER NOT NULL,
    name BLOB NOT NULL,
    entry BLOB NOT NULL,
    body BLOB NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS uploads (id INTEGER PRIMARY KEY, bucket INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS parts (
    upload INTEGER NOT NULL,
    number INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (upload, number)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS objects (object TEXT PRIMARY KEY, uses INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS garbage (object TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS intents (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  ${LOG_SCHEMA}
`
