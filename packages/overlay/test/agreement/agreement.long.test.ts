import { testLocks, testProperties } from './agreement-properties.ts'

testProperties(4, 400)
testProperties(7, 100)
testProperties(10, 40)
testLocks(1_000)
