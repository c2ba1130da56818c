import { after, test } from 'node:test'
import { testCoding } from '../support/test-storage.ts'
import { checkFailures } from './put-failures.ts'

const coding = testCoding()
after(() => coding[Symbol.asyncDispose]())

test('whatever fails, in 200 puts', () => checkFailures(coding, 200))
