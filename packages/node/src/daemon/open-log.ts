import { join } from 'node:path'
import type { Config } from '../config/load-config.ts'
import { type DaemonLog, createDaemonLog } from '../log/daemon-log.ts'
import { RotatingFile } from '../log/rotating-file.ts'
import { type StatePaths, stateUnwritable } from './state-directory.ts'

export interface OpenLog extends Disposable {
  readonly log: DaemonLog
  /** Lines that could not be written since the last one that could. */
  readonly dropped: () => number
}

/** The log where the configuration wants it. @throws WeftError E_STATE_UNWRITABLE, E_DISK_FULL */
export function openLog({ values }: Config, { logs, home }: StatePaths): OpenLog {
  const level = values['log.level']
  if (values['log.target'] === 'stderr') {
    let dropped = 0
    // Whoever read it has gone: the daemon goes on without.
    process.stderr.on('error', () => dropped++)
    return { log: createDaemonLog(level, process.stderr), dropped: () => dropped, [Symbol.dispose]: () => {} }
  }
  try {
    const file = new RotatingFile({
      path: join(logs, 'daemon.log'),
      maxSize: values['log.file_size'],
      files: values['log.files'],
    })
    return {
      log: createDaemonLog(level, file),
      dropped: () => file.dropped,
      [Symbol.dispose]: () => file[Symbol.dispose](),
    }
  } catch (error) {
    throw stateUnwritable(home, error)
  }
}
