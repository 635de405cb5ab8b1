// Who may import whom, as data, checked against the imports that stand in the files. One way only:
// files → tensors → model → geometry → merge → evaluate → state → views. A new folder needs a line here.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '..')

interface Rule {
  /** folders and files; the rule with the longest matching path governs a file */
  of: string[]
  /** paths and packages whose code may be imported; a rule's own `of`, core/errors.ts and core/race.ts always may */
  code?: string[]
  /** paths of which only types may be imported */
  types?: string[]
}

// What a model is, without a device: needed to read a checkpoint as well as to run one.
const architecture = ['src/core/model/config.ts', 'src/core/model/families', 'src/core/model/rotary.ts']
const declarations = ['src/core/merge/declaration.ts', 'src/core/merge/methods/declarations.ts']
const kernelText = ['src/core/kernels/spec.ts', 'src/core/kernels/shared']

const rules: Rule[] = [
  { of: ['src/core/errors.ts', 'src/core/race.ts'] },
  { of: ['src/core/tensors'] },
  { of: architecture, code: ['src/core/tensors'] },
  {
    of: ['src/core/files'],
    code: [
      ...['src/core/tensors', ...architecture],
      ...['@huggingface/jinja', '@huggingface/tokenizers', 'fflate', 'hash-wasm'],
    ],
  },
  {
    // Where models come from, and what of them is kept on this machine.
    of: ['src/core/sources', 'src/core/store'],
    code: ['src/core/files', '@huggingface/hub', 'hash-wasm'],
  },
  // Names of repositories, for whoever has to tell one from an address.
  { of: ['src/core/sources/hubId.ts'] },
  { of: kernelText, code: ['src/core/tensors'] },
  { of: ['src/core/kernels'], code: ['src/core/tensors'] },
  { of: ['src/core/gpu'], code: [...kernelText, 'src/core/tensors'] },
  {
    of: ['src/core/model'],
    code: ['src/core/kernels', 'src/core/gpu', 'src/core/tensors', 'src/core/files'],
  },
  {
    of: ['src/core/train'],
    code: ['src/core/model', 'src/core/kernels', 'src/core/gpu', 'src/core/tensors'],
  },
  {
    // Headers alone, before anything is loaded.
    of: ['src/core/preflight'],
    code: ['src/core/files', 'src/core/tensors', ...architecture, 'yaml'],
  },
  {
    // The engine's arithmetic on the adapter at hand, against stored vectors.
    of: ['src/core/selfTest'],
    code: ['src/core/model', 'src/core/kernels', 'src/core/gpu', 'src/core/tensors', 'src/core/files'],
  },
  {
    of: ['src/core/geometry'],
    code: ['src/core/model', 'src/core/kernels', 'src/core/gpu', 'src/core/tensors', 'src/core/files'],
  },
  {
    of: ['src/core/merge'],
    code: [
      ...['src/core/geometry', 'src/core/model', 'src/core/kernels', 'src/core/gpu', 'src/core/tensors'],
      'src/core/files/storedWeight.ts',
      'ml-matrix',
    ],
  },
  // What a recipe says and plans, as data: no file, no tensor, no device.
  { of: ['src/core/merge/recipe'], code: ['yaml'] },
  {
    of: ['src/core/evaluate'],
    code: [
      ...['src/core/merge', 'src/core/geometry', 'src/core/model', 'src/core/kernels', 'src/core/gpu'],
      ...['src/core/tensors', 'src/core/files'],
    ],
  },
  {
    // Drives everything below it; nothing in the core knows it.
    of: ['src/core/session'],
    code: [
      ...['src/core/evaluate', 'src/core/merge', 'src/core/geometry', 'src/core/model', 'src/core/kernels'],
      ...['src/core/gpu', 'src/core/tensors', 'src/core/files'],
    ],
  },
  {
    // Chooses weights by what merges do on data: drives sessions, and no session knows it.
    of: ['src/core/optimise'],
    code: [
      ...['src/core/session', 'src/core/evaluate', 'src/core/merge', 'src/core/geometry', 'src/core/train'],
      ...['src/core/model', 'src/core/kernels', 'src/core/gpu', 'src/core/tensors', 'src/core/files'],
    ],
  },
  {
    // After the merge: repairs of what a session made.
    of: ['src/core/repair'],
    code: [
      ...['src/core/session', 'src/core/evaluate', 'src/core/merge', 'src/core/geometry', 'src/core/model'],
      ...['src/core/kernels', 'src/core/gpu', 'src/core/tensors', 'src/core/files'],
    ],
  },
  {
    // The second opinion must owe our own forward pass nothing but the model's description.
    of: ['src/core/evaluate/ort'],
    code: [...architecture, 'src/core/tensors', 'src/core/files', 'onnxruntime-web'],
    types: ['src/core/gpu', 'src/core/evaluate/forwardModel.ts'],
  },
  {
    // Labellers score text: no device, no model of ours. onnxruntime comes from whoever opens a classifier.
    of: ['src/core/evaluate/labeller'],
    code: ['src/core/evaluate', 'src/core/files', 'src/core/tensors'],
  },
  { of: ['src/core/evaluate/labeller/ortNode.ts'], code: ['src/core/evaluate/labeller', 'onnxruntime-web'] },
  {
    // What methods declare of themselves is data without code, so the main thread may read it.
    of: declarations,
  },
  {
    of: ['src/share'],
    code: ['fflate', ...declarations],
    types: ['workers/api.ts', 'workers/api', 'src/core'],
  },
  {
    of: ['src/share/recipeText.ts'],
    code: ['src/share', 'src/core/merge/recipe'],
    types: ['workers/api.ts'],
  },
  {
    // Results that travel: an interval of a share follows from its counts.
    of: ['src/share/results'],
    code: ['src/share', 'src/core/evaluate/bootstrap.ts'],
    types: ['workers/api.ts', 'workers/api'],
  },
  {
    of: ['workers/api.ts', 'workers/api', 'workers/libraryApi.ts', 'workers/streamedApi.ts'],
    types: ['src/core'],
  },
  { of: ['workers'], code: ['src/core', 'src/share', 'src/trusted.ts', 'comlink'] },
  // The service worker, which knows the site's files and nothing of the studio.
  { of: ['workers/service.worker.ts', 'workers/offline'] },
  ...[['workers/offline/messages.ts'], ['src/trusted.ts']].map((of) => ({ of })),
  // Two weights and a dozen points, with the formulas of the large: what a lesson moves.
  { of: ['src/core/toy'] },
  {
    // Glossary, measures, method cards, tour and exercises as data: read by the page and by the documents' generator.
    of: ['src/help'],
    code: ['src/share', ...declarations],
    types: ['workers/api.ts', 'workers/api'],
  },
  // Words in the page's language; everything that shows text may ask for it.
  { of: ['src/language'] },
  {
    of: ['src/state'],
    code: [
      ...['src/share', 'src/help', 'src/language', 'workers/transfer.ts', 'workers/engine.worker.ts'],
      ...['workers/cpuEngine.worker.ts', 'workers/library.worker.ts', 'workers/streamedMerge.worker.ts'],
      ...['src/core/sources/hubId.ts', 'comlink', 'zustand', 'zundo'],
      'src/core/files/output/journalFile.ts',
    ],
    types: [
      ...['workers/api.ts', 'workers/api', 'workers/libraryApi.ts', 'workers/streamedApi.ts'],
      'workers/offline/messages.ts',
    ],
  },
  {
    // Sets of prompts are counted where their labels are edited, by the very intervals of the engine.
    of: ['src/state/play'],
    code: [
      ...['src/state', 'src/share', 'src/language', 'zustand', 'papaparse'],
      'src/core/evaluate/bootstrap.ts',
    ],
    types: ['workers/api.ts', 'workers/api'],
  },
  {
    of: ['src/views'],
    code: [
      ...['src/state', 'src/share', 'src/language', 'src/help', 'react', 'react-dom', 'recharts'],
      ...['@base-ui/react', 'papaparse'],
    ],
    types: ['workers/api.ts', 'workers/api', 'workers/libraryApi.ts', 'workers/streamedApi.ts'],
  },
  {
    of: ['src/views/learn'],
    code: [
      ...['src/views', 'src/state', 'src/share', 'src/language', 'src/help', 'src/core/toy'],
      ...['react', '@base-ui/react'],
    ],
    types: ['workers/api.ts', 'workers/api'],
  },
  {
    of: ['src/views/charts'],
    code: ['src/language', 'react', 'recharts'],
    types: ['workers/api.ts', 'workers/api'],
  },
  {
    of: ['src/main.tsx'],
    code: ['src/views', 'src/state', 'src/language', 'src/trusted.ts', 'react', 'react-dom'],
  },
  { of: ['src/cli/nodeGpu.ts'], code: ['webgpu'] },
  // Pages of the documentation, from the help's own data.
  { of: ['src/docs'], code: ['src/help', ...declarations, 'marked', 'node:'], types: ['src/cli/truth.ts'] },
  { of: ['src/testing'], code: ['src/core', 'src/cli/nodeGpu.ts', 'vitest', 'node:'] },
  { of: ['src/testing/fuzz/link.ts'], code: ['src/testing', 'src/core', 'src/share', 'src/state', 'fflate'] },
  { of: ['src/state/testing'], code: ['src/state', 'src/share', 'src/core', 'workers', 'vitest'] },
  {
    of: ['src/cli'],
    code: ['src/core', 'src/share', 'src/testing', 'zoo', 'scripts/setup.mjs', 'node:'],
    types: ['workers/api.ts', 'workers/api'],
  },
  {
    // Every text of the page, for whoever translates.
    of: ['src/cli/pageTexts.ts'],
    code: ['src/cli/bareTexts.ts', 'src/share', 'src/help', 'src/language', 'vite', 'node:'],
  },
  {
    // What ships with the page is what its own plan would measure.
    of: ['src/cli/shippedResults.ts', 'src/cli/shipped'],
    code: ['src/core', 'src/share', 'src/help', 'src/cli', 'src/state/plan.ts', 'node:'],
    types: ['workers/api.ts'],
  },
  {
    of: ['src/cli/browserPage.ts', 'src/cli/verifyBrowser.ts', 'src/cli/pictures.ts'],
    code: ['playwright.config.ts', 'scripts/serve.mjs', '@playwright/test', 'vite', 'node:'],
    types: ['src/cli', 'src/core/evaluate'],
  },
  {
    of: ['zoo'],
    code: ['src/core', 'src/cli/nodeGpu.ts', 'src/cli/nodeFolder.ts', '@huggingface/tokenizers', 'node:'],
  },
  { of: ['bench'], code: ['src/core', 'src/cli', 'src/testing', 'zoo', 'webgpu', 'node:'] },
  {
    of: ['bench/large.ts', 'bench/large'],
    code: ['bench', 'src/core', 'src/cli', 'src/testing', 'scripts', '@playwright/test', 'node:'],
  },
  {
    of: ['bench/points.ts', 'bench/points'],
    code: [
      ...['src/views', 'src/core/tensors', 'bench/benchPage.ts', 'playwright.config.ts', '@playwright/test'],
      ...['vite', '@vitejs/plugin-react', 'react-dom', 'node:'],
    ],
  },
  {
    of: ['bench/drag.ts'],
    code: [
      ...['src/share', 'scripts', 'bench/benchPage.ts', 'playwright.config.ts', '@playwright/test', 'node:'],
    ],
    types: ['workers/api.ts'],
  },
  {
    of: ['bench/soak.ts', 'bench/soak'],
    code: ['bench/large', 'src/core', 'src/share', 'scripts', '@playwright/test', 'node:'],
    types: ['workers/api.ts'],
  },
]

interface Import {
  line: number
  /** path from the root without a query, or the package's name */
  target: string
  isType: boolean
}

const isBelow = (path: string, folder: string) =>
  path === folder || path.startsWith(folder.endsWith(':') ? folder : `${folder}/`)

function packageOf(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

function findImports(file: string, text: string): Import[] {
  const clause = String.raw`(?:[\w$*]+(?:\s+as\s+[\w$]+)?\s*,?\s*)?(?:\{[^}]*\}\s*)?`
  const patterns = [
    new RegExp(String.raw`^(?:import|export)\s+(type\s+(?!from\b))?${clause}from\s+['"]([^'"]+)['"]`, 'gm'),
    /^()import\s+['"]([^'"]+)['"]/gm,
    /()\bimport\(\s*['"]([^'"]+)['"]/g,
    /()\bnew URL\(\s*['"](\.[^'"]+)['"],\s*import\.meta\.url/g,
  ]
  return patterns.flatMap((pattern) =>
    [...text.matchAll(pattern)].map((match) => {
      const specifier = match[2].replace(/\?.*$/, '')
      const target = specifier.startsWith('.')
        ? relative(root, resolve(root, dirname(file), specifier))
        : packageOf(specifier)
      return { line: text.slice(0, match.index).split('\n').length, target, isType: Boolean(match[1]) }
    }),
  )
}

function ruleOf(file: string): Rule | undefined {
  const reach = (rule: Rule) =>
    Math.max(-1, ...rule.of.filter((path) => isBelow(file, path)).map((p) => p.length))
  const best = rules.reduce((a, b) => (reach(b) > reach(a) ? b : a))
  return reach(best) >= 0 ? best : undefined
}

function violations(file: string, text: string): string[] {
  const rule = ruleOf(file)
  if (!rule) return [`${file}:1 belongs to no line of the table`]
  const mayBeCode = [...rule.of, ...(rule.code ?? []), 'src/core/errors.ts', 'src/core/race.ts']
  const mayBeType = [...mayBeCode, ...(rule.types ?? [])]
  return findImports(file, text)
    .filter(({ target, isType }) => !(isType ? mayBeType : mayBeCode).some((path) => isBelow(target, path)))
    .map(({ line, target, isType }) => `${file}:${line} may not import ${isType ? 'types of ' : ''}${target}`)
}

const isTest = (path: string) => /\.(test|bench)\.tsx?$/.test(path)
const folders = ['src', 'workers', 'zoo', 'bench']
const files = folders
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  )
  .filter((path) => /\.(tsx?|wgsl)$/.test(path))
  .sort()
  .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
const sources = files.filter(({ path }) => !path.endsWith('.wgsl'))

describe('imports', () => {
  it('follow the table', () => {
    expect(
      sources.filter(({ path }) => !isTest(path)).flatMap(({ path, text }) => violations(path, text)),
    ).toEqual([])
  })

  it('bring no page library into the core, not even in its tests', () => {
    const pageOnly = [
      'react',
      'react-dom',
      'recharts',
      'zustand',
      'comlink',
      'src/views',
      'src/state',
      'workers',
    ]
    const found = sources
      .filter(({ path }) => isBelow(path, 'src/core'))
      .flatMap(({ path, text }) => findImports(path, text).map((seen) => ({ path, ...seen })))
      .filter(({ target }) => pageOnly.some((name) => isBelow(target, name)))
      .map(({ path, line, target }) => `${path}:${line} imports ${target}`)
    expect(found).toEqual([])
  })

  it.each([
    ['src/core/files/a.ts', "import { Gpu } from '../gpu/device.ts'", 1],
    ['src/core/model/a.ts', "import {\n  a,\n  b,\n} from '../merge/closedForm.ts'", 1],
    ['src/core/model/a.ts', "import * as React from 'react'", 1],
    ['src/core/tensors/a.ts', "\nimport 'react'", 2],
    ['src/core/tensors/a.ts', "export { a } from '../files/source.ts'", 1],
    ['src/core/tensors/a.ts', "export * from '../files/source.ts'", 1],
    ['src/core/tensors/a.ts', "const a = 1\nconst b = await import('../files/source.ts')", 2],
    ['src/views/app/A.tsx', "import shader from '../../core/kernels/a/a.wgsl?raw'", 1],
    ['src/views/charts/A.tsx', "import { useStore } from '../../state/store.ts'", 1],
    ['src/share/a.ts', "import { solve } from '../core/merge/closedForm.ts'", 1],
    ['src/share/a.ts', "import { type Experiment } from '../../workers/api.ts'", 1],
    ['workers/api.ts', "import { Random } from '../src/core/tensors/random.ts'", 1],
    ['src/state/a.ts', "new Worker(new URL('../core/a.ts', import.meta.url))", 1],
    ['src/new/a.ts', '', 1],
  ])('of %s: %j is reported', (file, text, line) => {
    expect(violations(file, text)).toEqual([expect.stringContaining(`${file}:${line} `)])
  })

  it.each([
    ['src/share/a.ts', "import type { Experiment } from '../../workers/api.ts'"],
    ['src/core/merge/a.ts', "import { EngineError } from '../errors.ts'\nimport { b } from './b.ts'"],
    ['src/core/evaluate/ort/a.ts', "import wasm from 'onnxruntime-web/a.wasm?url'"],
    ['src/cli/a.ts', "import { readFileSync } from 'node:fs'"],
    ['src/core/tensors/a.ts', "// reads from '../views/a.ts'\nexport const a = 'import x'"],
  ])('of %s: %j is allowed', (file, text) => {
    expect(violations(file, text)).toEqual([])
  })
})

describe('files', () => {
  it('stay below 400 lines', () => {
    const long = files
      .filter(({ path }) => ['src', 'workers', 'zoo'].some((folder) => isBelow(path, folder)))
      .map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
      .filter(({ lines }) => lines > 400)
    expect(long).toEqual([])
  })

  it('draw only seeded random numbers', () => {
    const call = ['Math', 'random'].join('.')
    const found = sources.flatMap(({ path, text }) =>
      text.split('\n').flatMap((line, index) => (line.includes(call) ? [`${path}:${index + 1}`] : [])),
    )
    expect(found).toEqual([])
  })
})
