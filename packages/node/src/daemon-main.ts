import { runDaemon } from './daemon/run-daemon.ts'

/** The daemon's process (`weft start`; dist/daemon.js). */
process.exit(await runDaemon(process.argv.slice(2), process.env))
