import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** One change to the sources: a text that stands there once, and what stands there instead. */
export interface Planted {
  /** Path below `src`. */
  readonly file: string
  readonly from: string
  readonly to: string
}

export interface PlantedBuild {
  readonly bundlePath: string
  remove(): Promise<void>
}

/** The workflow bundle of these sources with faults planted in them, for tests of what finds such faults. */
export const buildPlanted = async (faults: readonly Planted[]): Promise<PlantedBuild> => {
  const folder = await mkdtemp(join(tmpdir(), 'sop-planted-'))
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true })
  try {
    const src = join(folder, 'src')
    await cp('src', src, { recursive: true })
    await symlink(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'))
    await writeFile(join(folder, 'package.json'), '{"type":"module"}')
    for (const fault of faults) await plant(src, fault)
    const bundlePath = join(folder, 'workflow-bundle.js')
    await promisify(execFile)(process.execPath, ['scripts/bundle.mjs', bundlePath, '--src', src])
    return { bundlePath, remove }
  } catch (error) {
    await remove()
    throw error
  }
}

const plant = async (src: string, { file, from, to }: Planted): Promise<void> => {
  const path = join(src, file)
  const text = await readFile(path, 'utf8')
  const count = text.split(from).length - 1
  if (count !== 1)
    throw new Error(`Cannot plant a fault in ${file}: ${JSON.stringify(from)} stands there ${count} times`)
  await writeFile(
    path,
    text.replace(from, () => to),
  )
}
