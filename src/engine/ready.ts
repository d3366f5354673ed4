import { resolve } from 'node:path'
import { shellWord } from '../core/shell-word.ts'
import type { DataDir } from './data-dir.ts'
import type { EngineFile } from './engine-file.ts'

export interface ReadyEngine {
  readonly file: EngineFile
  readonly dataDir: Pick<DataDir, 'path'>
  readonly pageUrl: string
}

/** What a person reads when the engine is up: where it is, what to type next, how it stops. `command` calls our CLI. */
export function renderReady({ file, dataDir, pageUrl }: ReadyEngine, version: string, command = 'npx sop'): string {
  const { namespace, uiUrl } = file.temporal
  const ui = uiUrl === undefined ? [] : [`  Temporal  ${uiUrl}/namespaces/${namespace}/workflows`]
  const isUsual = dataDir.path === resolve('.sop')
  return [
    '',
    `SOP Engine ${version} is up`,
    `  page      ${pageUrl}`,
    ...(pageUrl.includes('#') ? ['            (signs you in, once; later: ' + `${command} open)`] : []),
    `  API       ${file.url}/api/v1`,
    ...ui,
    `  data      ${dataDir.path}`,
    '',
    'Next, in another terminal:',
    ...(isUsual ? [] : [`  export SOP_DATA_DIR=${shellWord(dataDir.path)}`]),
    `  ${command} list             what can be run`,
    `  ${command} run NAME         start a run`,
    `  ${command} status           what is open and what waits for whom`,
    '',
    'Ctrl-C stops the engine; open runs wait and go on at the next start.',
    '',
  ].join('\n')
}
