import { mkdir, mkdtemp, readFile, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type CatalogEntry, createCatalog } from '../../src/client/catalog.ts'
import { stampOf } from '../../src/client/catalog-files.ts'
import { createCalendarProblem } from '../../src/adapters/holidays.ts'
import { createSop } from '../../src/client/create-sop.ts'

let base = ''
let sops = ''
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'sop catalog '))
  sops = join(base, 'sops')
  await mkdir(sops)
})
afterEach(() => rm(base, { recursive: true, force: true }))

const write = async (path: string, text: string): Promise<void> => {
  await mkdir(dirname(join(sops, path)), { recursive: true })
  await writeFile(join(sops, path), text)
}
const single = (name: string, title = 'Run') =>
  `---\nname: ${name}\n---\n\n# ${name}\n\n## Step 1: ${title}\n\n\`\`\`bash\ntrue\n\`\`\`\n`
const toml = (name: string) => `[sop]\nname = "${name}"\ndescription = "d"\n`
const steps = '## Steps\n\n1. **Run**\n\n   ```bash\n   true\n   ```\n'
const list = () => createCatalog({ sopDir: sops }).list()
const names = async (): Promise<string[]> => (await list()).map((entry) => entry.name)
const errorsOf = (entry: CatalogEntry | undefined) =>
  (entry?.compiled.diagnostics ?? []).filter((each) => each.severity === 'error')
const codes = (entry: CatalogEntry | undefined) => errorsOf(entry).map((each) => each.code)

describe('calendar files of holidays', () => {
  const calendar =
    'BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//t//EN\nBEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:20261225\nEND:VEVENT\nEND:VCALENDAR\n'
  const open = () => createCatalog({ sopDir: sops, calendarProblem: createCalendarProblem(sops) })
  const closed = `---\nname: closed\nholidays: [12-25, days.ics]\n---\n\n## Step 1: Run\n\n\`\`\`bash\ntrue\n\`\`\`\n`

  test('that are not there are a warning where they are named, until they are', async () => {
    await write('closed.md', closed)
    const catalog = open()
    const [before] = await catalog.list()
    expect(before?.compiled.definition).toBeDefined()
    expect(before?.compiled.diagnostics).toEqual([
      {
        code: 'holidays-file',
        severity: 'warning',
        message: 'Cannot read holidays "days.ics": it is neither beside the SOP ("closed.md") nor in the SOP directory',
        place: { file: 'closed.md', line: 3, column: 19, length: 8 },
        sourceLine: 'holidays: [12-25, days.ics]',
        help: 'Until it can be read no run of this SOP begins.',
      },
    ])
    await write('days.ics', calendar)
    const [after] = await catalog.list()
    expect(after?.compiled.diagnostics).toEqual([])
    expect(after?.compiled.definition).toBe(before?.compiled.definition)
  })

  test.each<[what: string, text: string, message: string]>([
    ['no calendars', 'nonsense', 'it is no calendar (RFC 5545) of days'],
    ['too large', 'x'.repeat(1_048_577), 'it is larger than 1048576 bytes'],
  ])('that are %s are told as such, also after a change', async (_what, text, message) => {
    await write('closed/SOP.toml', '[sop]\nname = "closed"\nholidays = ["days.ics"]\n')
    await write('closed/SOP.md', steps)
    await write('closed/days.ics', calendar)
    const catalog = open()
    expect((await catalog.get('closed'))?.compiled.diagnostics).toEqual([])
    await write('closed/days.ics', text)
    const { diagnostics = [] } = (await catalog.get('closed'))?.compiled ?? {}
    expect(diagnostics.map(({ place, message }) => [place.file, place.line, message])).toEqual([
      ['closed/SOP.toml', 3, expect.stringContaining(message)],
    ])
  })
})

describe('finding', () => {
  test('an empty directory has no SOPs', async () => expect(await list()).toEqual([]))

  test('every dialect by its files, in order of names', async () => {
    await write('zeta.md', single('zeta'))
    await write('a/SOP.toml', toml('alpha'))
    await write('a/SOP.md', steps)
    await write('beta/SOP.md', '# Beta\n\nDoes b.\n\n### Step 1: Run\n\n```bash\ntrue\n```\n')
    await write(
      'gamma/manifest.json',
      '{"name": "gamma", "description": "g", "steps": [{"number": 1, "title": "One"}]}',
    )
    const found = await list()
    expect(found.map(({ name, path }) => [name, path])).toEqual([
      ['alpha', 'a/SOP.md'],
      ['beta', 'beta/SOP.md'],
      ['gamma', 'gamma/manifest.json'],
      ['zeta', 'zeta.md'],
    ])
    expect(found.map((entry) => entry.files.map((file) => file.path))).toEqual([
      ['a/SOP.toml', 'a/SOP.md'],
      ['beta/SOP.md'],
      ['gamma/manifest.json'],
      ['zeta.md'],
    ])
    expect(found.flatMap(errorsOf)).toEqual([])
    expect(found[0]?.files[1]?.text).toBe(steps)
  })

  test('folders are gone into, but not those of an SOP, of dots, of runs or of packages', async () => {
    await write('team/night shift/one.md', single('one'))
    await write('team/two/SOP.md', single('two'))
    await write('team/two/notes.md', single('hidden'))
    await write('team/two/deep/SOP.md', single('hidden'))
    await write('.git/three.md', single('hidden'))
    await write('team/.old/four.md', single('hidden'))
    await write('.five.md', single('hidden'))
    await write('runs/six.md', single('hidden'))
    await write('node_modules/x/seven.md', single('hidden'))
    await write('team/runs/eight.md', single('eight'))
    expect(await names()).toEqual(['eight', 'one', 'two'])
  })

  test('Markdown that has neither front matter nor steps is passed over, and so are other files', async () => {
    await write('README.md', '# Our procedures\n\nRead them before use.\n')
    await write('empty.md', '')
    await write('notes/ideas.md', '- one\n- two\n')
    await write('code.md', '```md\n## Step 1: Not a step\n```\n')
    await write('config.json', '{}')
    await write('script.sh', 'true')
    await write('picture.png', '')
    await write('real.md', '# Real\n\n## Step 1: Run\n\n```bash\ntrue\n```\n')
    expect(await names()).toEqual(['real'])
  })

  test('front matter without steps is an SOP that somebody has not finished', async () => {
    await write('draft.md', '---\nname: draft\n---\n\nLater.\n')
    const [draft] = await list()
    expect(draft?.name).toBe('draft')
    expect(codes(draft).length).toBeGreaterThan(0)
  })

  test('a file that does not compile is listed beside those that do', async () => {
    await write('good.md', single('good'))
    await write('bad/SOP.toml', '[sop\nname = ')
    await write('bad/SOP.md', steps)
    const [bad, good] = await list()
    expect(bad?.name).toBe('bad')
    expect(bad?.compiled.definition).toBeUndefined()
    expect(errorsOf(bad)[0]?.place.file).toBe('bad/SOP.toml')
    expect(good?.compiled.definition?.name).toBe('good')
  })

  test('the SOP directory may be an SOP itself', async () => {
    await write('SOP.md', single('root'))
    await write('more.md', single('more'))
    expect(await names()).toEqual(['more', 'root'])
  })

  test('what cannot be read is listed', async () => {
    await mkdir(join(sops, 'odd', 'SOP.md'), { recursive: true })
    await write('latin.md', '')
    await writeFile(join(sops, 'latin.md'), Buffer.from('---\nname: caf\xe9\n---\n', 'latin1'))
    const [latin, odd] = await list()
    expect(codes(odd)).toEqual(['unreadable'])
    expect(codes(latin)).toEqual(['not-utf8'])
  })

  test('BOM, CRLF and names with spaces and beyond ASCII are nothing special', async () => {
    await write('a b/ü 🚀/my sop.md', `\ufeff${single('crlf').replaceAll('\n', '\r\n')}`)
    const [entry] = await list()
    expect(entry?.path).toBe('a b/ü 🚀/my sop.md')
    expect(entry?.compiled.definition?.name).toBe('crlf')
  })
})

describe('names', () => {
  test('of two SOPs with one name neither starts, and both say so', async () => {
    await write('one.md', single('same'))
    await write('other/SOP.md', single('same'))
    await write('third.md', single('third'))
    const found = await list()
    expect(found.map((entry) => entry.name)).toEqual(['same', 'same', 'third'])
    for (const entry of found.slice(0, 2)) {
      expect(codes(entry)).toEqual(['duplicate-sop'])
      expect(entry.compiled.definition).toBeUndefined()
    }
    expect(errorsOf(found[0])[0]?.message).toContain('"other/SOP.md"')
    expect((await createCatalog({ sopDir: sops }).get('same'))?.compiled.definition).toBeUndefined()
  })
  const running = (name: string, sop: string) =>
    `---\nname: ${name}\n---\n\n# ${name}\n\n## Step 1: Run\n\n- sop: ${sop}\n`

  test('of SOPs that run each other in a circle none starts, and each says where; an edit of one mends all', async () => {
    await write('a.md', running('a', 'b'))
    await write('b.md', running('b', 'a'))
    await write('c.md', running('c', 'a'))
    const catalog = createCatalog({ sopDir: sops })
    const found = await catalog.list()
    expect(found.map(codes)).toEqual([['sop-cycle'], ['sop-cycle'], []])
    expect(errorsOf(found[0])[0]).toMatchObject({
      message: 'Cannot run SOP "b" as step 1 "Run": SOPs run each other in a circle: a runs b runs a',
      place: { file: 'a.md', line: 9, column: 8 },
    })
    expect(found.map(({ compiled }) => compiled.definition !== undefined)).toEqual([false, false, true])
    await write('b.md', single('b'))
    expect((await catalog.list()).map(codes)).toEqual([[], [], []])
    expect((await catalog.get('a'))?.compiled.definition?.name).toBe('a')
  })

  test('an SOP that runs one that is not there does not start until it is', async () => {
    await write('a.md', running('a', 'later'))
    const catalog = createCatalog({ sopDir: sops })
    expect(codes(await catalog.get('a'))).toEqual(['unknown-sop'])
    expect((await catalog.get('a'))?.compiled.definition).toBeUndefined()
    await write('later.md', single('later'))
    const [first] = await catalog.list()
    expect(codes(first)).toEqual([])
    expect((await catalog.get('a'))?.compiled).toBe(first?.compiled)
  })

  test('get() finds by the name in the document, not by the file', async () => {
    await write('file.md', single('inside'))
    const catalog = createCatalog({ sopDir: sops })
    expect((await catalog.get('inside'))?.path).toBe('file.md')
    expect(await catalog.get('file')).toBeUndefined()
    expect(await catalog.get('__proto__')).toBeUndefined()
  })
})

describe('links', () => {
  test('out of the directory are errors, of files and of folders', async () => {
    await writeFile(join(base, 'outside.md'), single('outside'))
    await mkdir(join(base, 'far'))
    await writeFile(join(base, 'far', 'SOP.md'), single('far'))
    await symlink(join(base, 'outside.md'), join(sops, 'link.md'))
    await symlink(join(base, 'far'), join(sops, 'folder'))
    await write('mixed/SOP.toml', toml('mixed'))
    await symlink('/etc/passwd', join(sops, 'mixed', 'SOP.md'))
    const found = await list()
    expect(found.map((entry) => [entry.name, ...codes(entry)])).toEqual([
      ['folder', 'link-outside'],
      ['link', 'link-outside'],
      ['mixed', 'link-outside'],
    ])
    expect(found.flatMap((entry) => entry.files)).toEqual([])
  })
  test('to nothing and to themselves are errors; to other files they are nobody’s business', async () => {
    await symlink(join(sops, 'gone.md'), join(sops, 'dangling.md'))
    await symlink('loop.md', join(sops, 'loop.md'))
    await symlink('/etc/hostname', join(sops, 'host.txt'))
    expect((await list()).map((entry) => [entry.name, ...codes(entry)])).toEqual([
      ['dangling', 'dangling-link'],
      ['loop', 'link-loop'],
    ])
  })
  test('to a folder above are loops, and end', async () => {
    await write('a/b/one.md', single('one'))
    await symlink('..', join(sops, 'a', 'b', 'up'))
    await symlink(sops, join(sops, 'a', 'top'))
    expect((await list()).map((entry) => [entry.name, ...codes(entry)])).toEqual([
      ['one'],
      ['top', 'link-loop'],
      ['up', 'link-loop'],
    ])
  })
  test('inside show nothing twice, and may show a dot folder', async () => {
    await write('real.md', single('real'))
    await write('team/SOP.md', single('team'))
    await write('.shared/extra.md', single('extra'))
    await symlink('real.md', join(sops, 'alias.md'))
    await symlink('team', join(sops, 'group'))
    await symlink('.shared', join(sops, 'shared'))
    expect(await names()).toEqual(['extra', 'real', 'team'])
  })
  test('the directory itself may be one', async () => {
    await write('real.md', single('real'))
    await symlink(sops, join(base, 'via'))
    expect((await createCatalog({ sopDir: join(base, 'via') }).list()).map((entry) => entry.path)).toEqual(['real.md'])
  })
})

describe('index.json', () => {
  test('adds what lies where nobody looks, and never hides', async () => {
    await write('.archive/old/SOP.md', single('old'))
    await write('.archive/single.md', single('single'))
    await write('.archive/folder/SOP.md', single('folder'))
    await write('seen/SOP.md', single('seen'))
    await write('unlisted.md', single('unlisted'))
    await write(
      'index.json',
      JSON.stringify({
        old: '.archive/old/SOP.md',
        single: '.archive/single.md',
        folder: { path: './.archive/folder' },
        seen: 'seen/SOP.md',
      }),
    )
    expect(await names()).toEqual(['folder', 'old', 'seen', 'single', 'unlisted'])
  })
  test('may hold its table below "sops"', async () => {
    await write('.archive/old/manifest.json', '{"name": "old", "steps": [{"number": 1, "title": "One"}]}')
    await write('index.json', JSON.stringify({ version: 1, sops: { old: '.archive/old/manifest.json' } }))
    expect(await names()).toEqual(['old'])
  })
  test.each<[string, unknown, RegExp]>([
    ['gone', 'gone/manifest.json', /there is no "gone\/manifest.json"/],
    ['escape', '../outside.md', /outside the SOP directory/],
    ['absolute', '/etc/passwd', /outside the SOP directory/],
    ['number', 3, /it has no path/],
    ['empty', {}, /it has no path/],
    ['script', 'script.sh', /no manifest and no Markdown/],
    ['bare', 'bare', /neither SOP.md nor a manifest/],
  ])('the entry %s = %j is a listed error', async (name, value, reason) => {
    await write('fine.md', single('fine'))
    await write('script.sh', 'true')
    await write('bare/x.txt', '')
    await writeFile(join(base, 'outside.md'), single('outside'))
    await write('index.json', JSON.stringify({ [name]: value }))
    const found = await list()
    const entry = found.find((each) => each.name === name)
    expect(codes(entry)).toEqual(['dangling-entry'])
    expect(errorsOf(entry)[0]?.message).toMatch(reason)
    expect(found.some((each) => each.name === 'fine')).toBe(true)
  })
  test('a dangling entry does not stop the SOP of that name', async () => {
    await write('deploy.md', single('deploy'))
    await write('index.json', '{"deploy": "gone.md"}')
    expect((await createCatalog({ sopDir: sops }).get('deploy'))?.compiled.definition?.name).toBe('deploy')
    expect(await names()).toEqual(['deploy', 'deploy'])
  })
  test.each(['{', '[]', '"x"', 'null', ''])('that holds %j is one listed error', async (text) => {
    await write('fine.md', single('fine'))
    await write('index.json', text)
    const found = await list()
    expect(found.map((entry) => entry.name)).toEqual(['fine', 'index.json'])
    expect(codes(found[1])).toEqual(['bad-index'])
  })
})

describe('edits', () => {
  test('are seen by the next call, and what stands is the same object', async () => {
    await write('one.md', single('one'))
    await write('two.md', single('two'))
    const catalog = createCatalog({ sopDir: sops })
    const before = await catalog.list()
    await write('one.md', single('one', 'Walk'))
    const after = await catalog.list()
    expect(after[0]?.compiled.definition?.steps[0]?.title).toBe('Walk')
    expect(after[1]?.compiled.definition).toBe(before[1]?.compiled.definition)
    expect(after[1]?.compiled.definition).toBeDefined()
    await rm(join(sops, 'one.md'))
    await write('three.md', single('three'))
    expect((await catalog.list()).map((entry) => entry.name)).toEqual(['three', 'two'])
  })
  test('of the same size and time are seen', async () => {
    await write('one.md', single('one', 'Aaa'))
    const path = join(sops, 'one.md')
    const time = new Date('2025-01-01T00:00:00Z')
    await utimes(path, time, time)
    const catalog = createCatalog({ sopDir: sops })
    for (const title of ['Aaa', 'Bbb', 'Ccc', 'Ddd', 'Eee', 'Fff']) {
      await writeFile(path, single('one', title))
      await utimes(path, time, time)
      expect((await catalog.get('one'))?.compiled.definition?.steps[0]?.title).toBe(title)
    }
  })
  test('could hide behind the stamp of a file that was touched just now, so it is read again', async () => {
    await write('one.md', single('one'))
    const path = join(sops, 'one.md')
    onTestFinished(() => void vi.useRealTimers())
    const { mtimeMs } = await stat(path)
    vi.setSystemTime(mtimeMs)
    expect(await stampOf(path)).toMatchObject({ isRacy: true })
    vi.setSystemTime(mtimeMs + 1_000)
    expect(await stampOf(path)).toMatchObject({ isRacy: false })
  })
  test('that replace the file by another of the same size are seen', async () => {
    await write('one.md', single('one', 'Aaa'))
    const catalog = createCatalog({ sopDir: sops })
    await catalog.list()
    await writeFile(join(base, 'new.md'), single('one', 'Bbb'))
    await rename(join(base, 'new.md'), join(sops, 'one.md'))
    expect((await catalog.get('one'))?.compiled.definition?.steps[0]?.title).toBe('Bbb')
  })
  test('of one file of a folder are seen, and a file that is added', async () => {
    await write('a/SOP.md', single('a'))
    const catalog = createCatalog({ sopDir: sops })
    expect((await catalog.list())[0]?.files).toHaveLength(1)
    await write('a/SOP.toml', `${toml('a')}version = "2.0.0"\n`)
    await write('a/SOP.md', steps)
    expect((await catalog.get('a'))?.compiled.definition?.version).toBe('2.0.0')
    await write('a/SOP.toml', `${toml('a')}version = "3.0.0"\n`)
    expect((await catalog.get('a'))?.compiled.definition?.version).toBe('3.0.0')
  })
  test('many at once answer alike', async () => {
    await Promise.all(Array.from({ length: 40 }, (_, at) => write(`s${at}.md`, single(`s${at}`))))
    const catalog = createCatalog({ sopDir: sops })
    const answers = await Promise.all(Array.from({ length: 5 }, () => catalog.list()))
    for (const answer of answers)
      expect(answer.map((entry) => entry.name)).toEqual(answers[0]?.map((entry) => entry.name))
    expect(answers[0]).toHaveLength(40)
  })
})

describe('a directory that is not there', () => {
  const open = (sopDir: string) => createCatalog({ sopDir, workdir: base }).list()
  test('is not_found, with the way out', () =>
    expect(open(join(base, 'nope'))).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringMatching(/Cannot read the SOP directory ".*nope": there is no such folder\. .*sop create/),
    }))
  test('mentions .pi/sops where that is', async () => {
    await mkdir(join(base, '.pi', 'sops'), { recursive: true })
    await expect(open('nope')).rejects.toThrow(/\.pi\/sops": set SOP_DIR=\.pi\/sops/)
  })
  test('but a file says so', async () => {
    await writeFile(join(base, 'file'), '')
    await expect(open('file')).rejects.toThrow(/it is no folder/)
  })
  test('is found once it is made', async () => {
    const catalog = createCatalog({ sopDir: 'later', workdir: base })
    await expect(catalog.list()).rejects.toMatchObject({ code: 'not_found' })
    await mkdir(join(base, 'later'))
    expect(await catalog.list()).toEqual([])
  })
})

describe('createSop()', () => {
  test.each(['A', 'D'] as const)('dialect %s compiles without a finding and keeps what was said', async (dialect) => {
    const created = await createSop(sops, {
      name: 'rotate-keys',
      description: 'Rotates "all" keys \\ # [x]: 🚀\nfor ever',
      mode: 'step_by_step',
      priority: 'high',
      dialect,
    })
    const [entry] = await list()
    expect(entry?.compiled.diagnostics).toEqual([])
    expect(entry?.compiled.definition).toMatchObject({
      name: 'rotate-keys',
      title: 'Rotate keys',
      description: 'Rotates "all" keys \\ # [x]: 🚀\nfor ever',
      mode: 'step_by_step',
      priority: 'high',
      version: '1.0.0',
      triggers: [{ type: 'manual' }],
      dialect,
    })
    expect(entry?.compiled.definition?.steps.map((step) => [step.action.kind, step.requiresApproval])).toEqual([
      ['shell', undefined],
      ['shell', true],
      ['shell', undefined],
    ])
    expect(created.name).toBe('rotate-keys')
    expect(created.files).toEqual(
      dialect === 'A'
        ? [join(sops, 'rotate-keys', 'SOP.toml'), join(sops, 'rotate-keys', 'SOP.md')]
        : [join(sops, 'rotate-keys.md')],
    )
  })
  test('with a name alone, into a directory that is not there yet', async () => {
    await createSop(join(base, 'new', 'sops'), { name: 'x' })
    const [entry] = await createCatalog({ sopDir: join(base, 'new', 'sops') }).list()
    expect(entry?.compiled.diagnostics).toEqual([])
    expect(entry?.compiled.definition).toMatchObject({ name: 'x', mode: 'supervised', priority: 'normal' })
  })
  test.each(['1', '1.0', 'true', 'null', 'no', '2025-01-01', '0x10', 'A.b_C-d', 'yes'])(
    'the name %s survives TOML and YAML',
    async (name) => {
      await createSop(join(base, 'a'), { name, dialect: 'A' })
      await createSop(join(base, 'd'), { name, dialect: 'D' })
      for (const dir of ['a', 'd'])
        expect(
          (await createCatalog({ sopDir: join(base, dir) }).list()).map((entry) => [entry.name, errorsOf(entry)]),
        ).toEqual([[name, []]])
    },
  )
  test.each([
    '',
    ' ',
    '../up',
    'a/b',
    '.dot',
    '-a',
    'a b',
    'ä',
    'x'.repeat(101),
    'a\n',
    'runs',
    'index.json',
    'node_modules',
  ])('the name %j is invalid, and nothing is written', async (name) => {
    await expect(createSop(sops, { name })).rejects.toMatchObject({ code: 'invalid' })
    expect(await list()).toEqual([])
  })
  test('a mode or priority that is not known is invalid, with a hint', async () => {
    await expect(createSop(sops, { name: 'x', mode: 'supervisd' as 'supervised' })).rejects.toThrow(
      /Did you mean "supervised"/,
    )
    await expect(createSop(sops, { name: 'x', priority: 'urgent' })).rejects.toThrow(/low, normal, high, critical/)
    await createSop(sops, { name: 'x', priority: 'medium', mode: 'step-by-step' as 'step_by_step' })
    expect((await list())[0]?.compiled.definition).toMatchObject({ priority: 'normal', mode: 'step_by_step' })
  })
  test('a name that is taken is a conflict: as folder, as file, inside another file, in another case', async () => {
    await createSop(sops, { name: 'folder' })
    await createSop(sops, { name: 'file', dialect: 'D' })
    await write('somewhere/else.md', single('inside'))
    for (const name of ['folder', 'file', 'inside', 'Inside', 'FOLDER'])
      for (const dialect of ['A', 'D'] as const)
        await expect(createSop(sops, { name, dialect })).rejects.toMatchObject({ code: 'conflict' })
    expect(await names()).toEqual(['file', 'folder', 'inside'])
  })
  test('of several at once one wins', async () => {
    for (const dialect of ['A', 'D'] as const) {
      const results = await Promise.allSettled(
        Array.from({ length: 8 }, () => createSop(sops, { name: `race-${dialect}`, dialect })),
      )
      expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1)
      for (const result of results)
        if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'conflict' })
    }
    expect(await names()).toEqual(['race-A', 'race-D'])
  })
  test('keeps an index.json current, and makes none', async () => {
    await createSop(sops, { name: 'one' })
    expect(await names()).toEqual(['one'])
    await write('index.json', '{\n    "old": "one/SOP.toml"\n}\n')
    const created = await createSop(sops, { name: 'two' })
    await createSop(sops, { name: 'three', dialect: 'D' })
    expect(created.files).toContain(join(sops, 'index.json'))
    expect(await readFile(join(sops, 'index.json'), 'utf8')).toBe(
      '{\n    "old": "one/SOP.toml",\n    "two": "two/SOP.toml",\n    "three": "three.md"\n}\n',
    )
    expect(await names()).toEqual(['one', 'three', 'two'])
  })
  test('leaves a damaged index.json alone', async () => {
    await write('index.json', '{')
    await createSop(sops, { name: 'one' })
    expect(await names()).toEqual(['index.json', 'one'])
  })
  test('where nothing can be written is unavailable', async () => {
    await writeFile(join(base, 'file'), '')
    await expect(createSop(join(base, 'file', 'sops'), { name: 'x' })).rejects.toMatchObject({ code: 'unavailable' })
  })
})
