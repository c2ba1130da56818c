export { runCli } from './program/run-cli.ts'
