import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import loadWabt from 'wabt'

const SOURCE = 'packages/erasure/src/kernel.wat'
const TARGET = 'packages/erasure/src/generated/kernel.ts'

/**
 * Assembles the kernel twice, with the relaxed byte shuffle and with the plain one, and writes both as base64 into the
 * generated module that `kernel.ts` imports.
 * @param rootDir the root of the repository.
 * @throws Error with the assembler's message and line when the text is not a valid module.
 */
export async function assembleKernel(rootDir: string): Promise<void> {
  const text = await readFile(join(rootDir, SOURCE), 'utf8')
  const wabt = await loadWabt()
  const assemble = (source: string, relaxed: boolean): string => {
    const features = { simd: true, bulk_memory: true, relaxed_simd: relaxed }
    const module = wabt.parseWat(SOURCE, source, features)
    try {
      // wabt validates by the features given here, whatever `parseWat` was given; its type declares no argument.
      const validate: (features?: object) => void = module.validate.bind(module)
      validate(features)
      return module.toBinary({}).buffer.toBase64()
    } finally {
      module.destroy()
    }
  }
  const lines = [
    `// Made by packages/erasure/scripts/assemble.ts from ${SOURCE}; change that file instead.`,
    `export const relaxedKernel = '${assemble(text, true)}'`,
    `export const plainKernel = '${assemble(text.replaceAll('i8x16.relaxed_swizzle', 'i8x16.swizzle'), false)}'`,
  ]
  const target = join(rootDir, TARGET)
  await mkdir(dirname(target), { recursive: true })
  await writeFile(target, `${lines.join('\n')}\n`)
}
