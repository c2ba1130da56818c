import { it } from 'node:test'
import { killUnderWrite } from './kill-under-write.ts'

const KILLS = 200

it(`loses nothing acknowledged in ${KILLS} kills under write`, { timeout: KILLS * 3_000 }, (context) =>
  killUnderWrite(context, KILLS),
)
