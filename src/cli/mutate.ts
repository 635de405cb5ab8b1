// npm run mutate -- [KERNEL…] [--write]: does the kernel harness notice planted bugs? Every kernel's WGSL is
// mutated place by place (src/testing/mutations.ts), compiled and put through checkKernel; the accessors that
// spec.ts writes are mutated inside the kernels that use them. Exit code 1 when an index or sign mutant survives
// that is not in the table of equivalent ones. --write renews docs/mutation.md.

import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { findDriver } from '../../scripts/setup.mjs'
import { Gpu } from '../core/gpu/device.ts'
import { KERNELS } from '../core/kernels/index.ts'
import packed from '../core/kernels/shared/packed.wgsl?raw'
import { type KernelSpec, type KernelVariant, wgslHeader } from '../core/kernels/spec.ts'
import { weightTypes } from '../core/selfTest/kernelRun.ts'
import { checkKernel } from '../testing/checkKernel.ts'
import { EQUIVALENT_MUTANTS, type Equivalent } from '../testing/equivalentMutants.ts'
import { listMutants, MUTATION_CLASSES, type Mutant, withFuel } from '../testing/mutations.ts'
import { mutationReport } from './mutationReport.ts'
import { nodeGpu } from './nodeGpu.ts'

export interface KernelResult {
  name: string
  /** compiled mutants, and those the compiler refused */
  planted: Mutant[]
  refused: number
  survivors: { mutant: Mutant; reason: string | undefined }[]
}

/** Kernels that between them call every accessor in every storage type, aligned and not. */
const ACCESSOR_KERNELS = [
  'rmsNorm',
  'matmul',
  'embedding',
  'scatterRows',
  'widen',
  'narrow',
  'countNonFinite',
]

/** Calls `use` with the text replaced in every module that the device compiles. */
async function replacing<T>(gpu: Gpu, from: string, to: string, use: () => Promise<T>): Promise<T> {
  const { device } = gpu
  const original = device.createShaderModule
  device.createShaderModule = (descriptor) =>
    original.call(device, { ...descriptor, code: descriptor.code.replace(from, () => to) })
  try {
    return await use()
  } finally {
    device.createShaderModule = original
  }
}

async function compiles(gpu: Gpu, code: string): Promise<boolean> {
  gpu.device.pushErrorScope('validation')
  gpu.device.createShaderModule({ code })
  return (await gpu.device.popErrorScope()) === null
}

function variantsOf(kernel: KernelSpec): KernelVariant[] {
  const aligned = new Set(kernel.cases.map(({ params }) => kernel.isAligned?.(params) ?? true))
  return weightTypes(kernel).flatMap((weights) => [...aligned].map((a) => ({ weights, aligned: a })))
}

/** Failures of a mutant, or what it did to the device. */
async function failuresOf(gpu: Gpu, kernel: KernelSpec): Promise<string[]> {
  try {
    return await checkKernel(gpu, kernel, 1)
  } catch (error) {
    return [String(error)]
  }
}

let serial = 0
const renamed = (kernel: KernelSpec, wgsl: string): KernelSpec => ({
  ...kernel,
  // Pipelines are cached by name.
  name: `${kernel.name}~${serial++}`,
  wgsl: withFuel(wgsl),
})

async function mutateKernel(kernel: KernelSpec): Promise<KernelResult> {
  const gpu = await Gpu.open(await nodeGpu())
  const result: KernelResult = { name: kernel.name, planted: [], refused: 0, survivors: [] }
  const sound = await failuresOf(gpu, renamed(kernel, kernel.wgsl))
  if (sound.length > 0) throw new Error(`${kernel.name} fails without a mutation: ${sound[0]}`)
  const variants = variantsOf(kernel)
  for (const mutant of listMutants(kernel.wgsl, { params: kernel.params })) {
    const spec = renamed(kernel, mutant.text)
    if (!(await compiles(gpu, `${spec.wgsl}\n${wgslHeader(spec, variants[0], packed)}`))) {
      result.refused++
      continue
    }
    result.planted.push(mutant)
    if ((await failuresOf(gpu, spec)).length === 0) result.survivors.push(judge(kernel.name, mutant))
  }
  gpu.close()
  return result
}

function judge(kernel: string, mutant: Mutant): KernelResult['survivors'][number] {
  const known = EQUIVALENT_MUTANTS.find(
    (e) =>
      e.kernels.includes(kernel) && e.changed.test(mutant.changed) && (e.line?.test(mutant.line) ?? true),
  )
  if (known) used.add(known)
  return { mutant, reason: known?.reason }
}
const used = new Set<Equivalent>()

/** Lines of the header that hold functions which this kernel reaches. */
function reachedLines(kernel: KernelSpec, header: string): string[] {
  // Accessors of one function may span lines; packed functions do. A chunk is a whole function.
  const chunks = header.split(/\n(?=fn )/).slice(1)
  const functions = chunks.map((text) => ({
    name: /^fn (\w+)/.exec(text)![1],
    text: text.replace(/\n(@|\/\/)[\s\S]*$/, ''),
  }))
  const reached = new Set<string>()
  let sources = [kernel.wgsl]
  while (sources.length > 0) {
    const found = functions.filter(
      ({ name, text }) =>
        !reached.has(text) && sources.some((source) => new RegExp(`\\b${name}\\(`).test(source)),
    )
    for (const { text } of found) reached.add(text)
    sources = found.map(({ text }) => text)
  }
  return [...reached]
}

interface Site {
  kernel: KernelSpec
  variant: KernelVariant
  header: string
  text: string
}

/** The same accessor function in all kernels that reach it, names of bindings aside. */
function accessorSites(): Site[][] {
  const sites = new Map<string, Site[]>()
  for (const kernel of KERNELS.filter(({ name }) => ACCESSOR_KERNELS.includes(name)))
    for (const variant of variantsOf(kernel)) {
      const header = wgslHeader(kernel, variant, packed)
      for (const text of reachedLines(kernel, header)) {
        const shape = text.replaceAll(/(weight|out|x|y|a|residual)(?=[14]?[[(])/g, '_').trim()
        const known = sites.get(shape) ?? []
        sites.set(shape, [...known, { kernel, variant, header, text }])
      }
    }
  return [...sites.values()]
}

/** An accessor's mutant is caught when one of the kernels that use it fails. */
async function mutateAccessors(): Promise<KernelResult> {
  const gpu = await Gpu.open(await nodeGpu())
  const result: KernelResult = { name: 'accessors', planted: [], refused: 0, survivors: [] }
  for (const sites of accessorSites()) {
    const mutants = sites.map(({ text }) => listMutants(text, { params: [] }))
    for (const [i, mutant] of mutants[0].entries()) {
      const { kernel, variant, header, text } = sites[0]
      if (!(await compiles(gpu, `${kernel.wgsl}\n${header.replace(text, () => mutant.text)}`))) {
        result.refused++
        continue
      }
      const named = { ...mutant, line: `${kernel.name}, ${variant.weights}: ${mutant.line}` }
      result.planted.push(named)
      let isCaught = false
      for (const [j, site] of sites.entries()) {
        const spec = renamed(site.kernel, site.kernel.wgsl)
        const check = () => failuresOf(gpu, spec)
        isCaught ||= (await replacing(gpu, site.text, mutants[j][i].text, check)).length > 0
        if (isCaught) break
      }
      if (!isCaught) result.survivors.push(judge('accessors', named))
    }
  }
  gpu.close()
  return result
}

export async function main(args: string[]): Promise<number> {
  const names = args.filter((arg) => !arg.startsWith('--'))
  const unknown = [
    ...names.filter((name) => name !== 'accessors' && !KERNELS.some((kernel) => kernel.name === name)),
    ...args.filter((arg) => arg.startsWith('--') && arg !== '--write'),
  ]
  if (unknown.length > 0) {
    console.error(
      `usage: npm run mutate -- [KERNEL…] [--write]; no such kernel or option: ${unknown.join(', ')}`,
    )
    return 2
  }
  chooseQuickDriver()
  const results: KernelResult[] = []
  const wanted = (name: string) => names.length === 0 || names.includes(name)
  const columns = (cells: (string | number)[]) => cells.map((cell) => String(cell).padStart(9)).join('')
  console.log(
    `${'kernel'.padEnd(26)}${columns(['planted', 'caught', 'same', 'SURVIVED', ...MUTATION_CLASSES])}`,
  )
  const add = (result: KernelResult) => {
    results.push(result)
    const same = result.survivors.filter(({ reason }) => reason !== undefined).length
    const real = result.survivors.length - same
    const of = MUTATION_CLASSES.map((kind) => result.planted.filter((m) => m.kind === kind).length)
    const caught = result.planted.length - same - real
    console.log(`${result.name.padEnd(26)}${columns([result.planted.length, caught, same, real, ...of])}`)
    for (const { mutant, reason } of result.survivors)
      if (reason === undefined)
        console.log(
          `    ${mutant.kind}: ${mutant.line}\n    ${' '.repeat(mutant.kind.length)}→ ${mutant.changed}`,
        )
  }
  for (const kernel of KERNELS) if (wanted(kernel.name)) add(await mutateKernel(kernel))
  if (wanted('accessors')) add(await mutateAccessors())
  if (names.length === 0)
    for (const entry of EQUIVALENT_MUTANTS)
      if (!used.has(entry))
        console.log(`stale: ${entry.kernels.join(', ')} ${entry.changed} matches no survivor`)
  const report = mutationReport(results)
  console.log(report.summary)
  if (args.includes('--write'))
    await writeFile(resolve(import.meta.dirname, '../../docs/mutation.md'), report.page)
  return report.isGood ? 0 : 1
}

/** SwiftShader compiles a kernel in a tenth of lavapipe's time, and thousands are compiled here. */
function chooseQuickDriver(): void {
  if (process.env.ALIGNMERGE_DRIVER) return
  const before = { ...process.env }
  process.env.ALIGNMERGE_DRIVER = 'swiftshader'
  for (const name of ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES']) delete process.env[name]
  const driver = findDriver()
  Object.assign(process.env, driver?.env ?? before)
}
