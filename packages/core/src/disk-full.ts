/** SQLITE_FULL, and SQLITE_IOERR_SHMSIZE, which is the same for the shared memory file (sqlite.org/rescode.html). */
const SQLITE_CODES: readonly unknown[] = [13, 4874]

/** Whether an error of the file system or of SQLite says that no room is left: ENOSPC or EDQUOT (errno(3)), SQLITE_FULL. */
export function isDiskFull(error: unknown): boolean {
  const { code, errcode } = (error ?? {}) as { code?: unknown; errcode?: unknown }
  return code === 'ENOSPC' || code === 'EDQUOT' || SQLITE_CODES.includes(errcode)
}
