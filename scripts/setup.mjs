// Finds what the checks need besides Node: a Chromium, and on Linux a Vulkan driver for Dawn (npm `webgpu`).
// System packages come first; whatever is missing is unpacked from the npm package @sparticuz/chromium, which
// carries a headless Chromium, the Vulkan loader, SwiftShader and the NSS libraries as brotli files.
// VK_* may still be set inside the process that loads Dawn; LD_LIBRARY_PATH must be set before it starts.
// Command: `node scripts/setup.mjs` prints what was found; importing it does nothing.
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliDecompressSync } from 'node:zlib'

export const root = resolve(fileURLToPath(import.meta.url), '../..')
export const installHint =
  'no Chromium or no usable Vulkan driver: run npm ci (x64 Linux), or apt-get install chromium mesa-vulkan-drivers'
const oldestChromium = 121 // the first with WebGPU on Linux behind a flag and `adapter.info`
const ignoreSystem = () => process.env.ALIGNMERGE_IGNORE_SYSTEM === '1'

// --- the npm package ------------------------------------------------------------------------------------

const packageFolder = join(root, 'node_modules/@sparticuz/chromium')

/** The folder that holds the unpacked `part` ('driver' or 'browser'), or undefined where the package cannot serve. */
function unpack(part) {
  if (process.platform !== 'linux' || process.arch !== 'x64' || !existsSync(packageFolder)) return undefined
  const { version } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8'))
  const folder = join(root, 'node_modules/.cache/alignmerge', `chromium-${version}`)
  const marker = join(folder, `${part}.unpacked`)
  if (existsSync(marker)) return folder
  const read = (name) => brotliDecompressSync(readFileSync(join(packageFolder, 'bin', `${name}.br`)))
  for (const { name, bytes, mode } of tarEntries(read('swiftshader.tar')))
    put(join(folder, name), bytes, mode)
  if (part === 'browser') {
    for (const { name, bytes, mode } of tarEntries(read('al2023.tar'))) put(join(folder, name), bytes, mode)
    for (const { name, bytes, mode } of tarEntries(read('fonts.tar'))) put(join(folder, name), bytes, mode)
    // The archive's own configuration names other folders; without a font every text is zero pixels high.
    const places = `<dir>${join(folder, 'fonts')}</dir><cachedir>${join(folder, 'font-cache')}</cachedir>`
    put(join(folder, 'fonts.conf'), `<?xml version="1.0"?><fontconfig>${places}</fontconfig>\n`, 0o644)
    put(join(folder, 'chromium'), read('chromium'), 0o755)
  }
  put(marker, '', 0o644)
  return folder
}

// Written aside and renamed, so that two processes which unpack at once never see half a library.
function put(path, bytes, mode) {
  mkdirSync(dirname(path), { recursive: true })
  const aside = `${path}.${process.pid}`
  writeFileSync(aside, bytes, { mode })
  renameSync(aside, path)
}

/** Regular files of an uncompressed ustar archive. */
export function* tarEntries(archive) {
  const text = (at, length) => archive.toString('latin1', at, at + length).replace(/\0.*$/s, '')
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0; ) {
    const size = Number.parseInt(text(at + 124, 12), 8)
    const name = text(at, 100)
    const isFile = ['', '0'].includes(text(at + 156, 1))
    if (isFile && !name.split('/').includes('..'))
      yield {
        name,
        mode: Number.parseInt(text(at + 100, 8), 8) & 0o777,
        bytes: archive.subarray(at + 512, at + 512 + size),
      }
    at += 512 + Math.ceil(size / 512) * 512
  }
}

// --- Chromium -------------------------------------------------------------------------------------------

function browserCandidates() {
  const fromPath = (process.env.PATH ?? '')
    .split(':')
    .flatMap((folder) =>
      ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'].map((name) =>
        join(folder, name),
      ),
    )
  if (process.platform === 'darwin')
    return ['Google Chrome', 'Chromium', 'Microsoft Edge'].map(
      (app) => `/Applications/${app}.app/Contents/MacOS/${app}`,
    )
  if (process.platform === 'win32')
    return [process.env.PROGRAMFILES, process.env['PROGRAMFILES(X86)'], process.env.LOCALAPPDATA]
      .filter(Boolean)
      .map((folder) => join(folder, 'Google/Chrome/Application/chrome.exe'))
  return ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', ...fromPath]
}

function playwrightCandidates() {
  const cache = {
    darwin: join(homedir(), 'Library/Caches/ms-playwright'),
    win32: join(process.env.LOCALAPPDATA ?? homedir(), 'ms-playwright'),
  }[process.platform]
  const base = process.env.PLAYWRIGHT_BROWSERS_PATH ?? cache ?? join(homedir(), '.cache/ms-playwright')
  if (!existsSync(base)) return []
  return readdirSync(base)
    .filter((name) => /^chromium-\d+$/.test(name))
    .sort((a, b) => Number(b.slice(9)) - Number(a.slice(9)))
    .flatMap((name) =>
      [
        'chrome-linux64/chrome',
        'chrome-linux/chrome',
        'chrome-win/chrome.exe',
        'chrome-mac/Chromium.app/Contents/MacOS/Chromium',
      ].map((file) => join(base, name, file)),
    )
}

// Ubuntu's /usr/bin/chromium-browser may be a stub that only advertises a snap, so ask for the version.
function isUsable(path) {
  if (!existsSync(path)) return false
  if (process.platform !== 'linux') return true
  const answer = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 20_000 })
  return answer.status === 0 && Number(/(\d+)\.\d+\.\d+/.exec(answer.stdout)?.[1] ?? 0) >= oldestChromium
}

/** { path, source: 'named' | 'system' | 'playwright' | 'npm', env } or undefined; env goes to the browser alone. */
export function findBrowser() {
  const named = process.env.ALIGNMERGE_CHROMIUM
  if (named) return { path: named, source: 'named', env: {} }
  if (!ignoreSystem()) {
    const system = browserCandidates().find(isUsable)
    if (system) return { path: system, source: 'system', env: {} }
    const playwright = playwrightCandidates().find(isUsable)
    if (playwright) return { path: playwright, source: 'playwright', env: {} }
  }
  const folder = unpack('browser')
  if (!folder) return undefined
  const libraries = [folder, join(folder, 'lib'), process.env.LD_LIBRARY_PATH].filter(Boolean).join(':')
  return {
    path: join(folder, 'chromium'),
    source: 'npm',
    env: { LD_LIBRARY_PATH: libraries, FONTCONFIG_PATH: folder },
  }
}

// --- Vulkan ---------------------------------------------------------------------------------------------

const libraryFolders = [
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
  '/usr/lib64',
  '/usr/lib',
  '/usr/local/lib',
]

// A manifest left behind by a removed package names a library that is no longer there.
function hasLibrary(manifest) {
  const { library_path: library } = JSON.parse(readFileSync(manifest, 'utf8')).ICD
  if (library.includes('/')) return existsSync(resolve(dirname(manifest), library))
  return libraryFolders.some((folder) => existsSync(join(folder, library)))
}

function systemDrivers() {
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64'
  const folders = ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d', '/usr/local/share/vulkan/icd.d']
  const lavapipe = folders
    .flatMap((folder) => [join(folder, `lvp_icd.${machine}.json`), join(folder, 'lvp_icd.json')])
    .map((manifest) => ({ name: 'lavapipe', manifest }))
  // Debian's chromium carries SwiftShader and a loader of its own.
  const besideChromium = ['/usr/lib/chromium', '/usr/lib/chromium-browser', '/opt/google/chrome']
    .map((folder) => join(folder, 'vk_swiftshader_icd.json'))
    .map((manifest) => ({ name: 'swiftshader', manifest }))
  return [...lavapipe, ...besideChromium].filter(
    ({ manifest }) => existsSync(manifest) && hasLibrary(manifest),
  )
}

function npmDriver() {
  const folder = unpack('driver')
  return folder ? [{ name: 'swiftshader', manifest: join(folder, 'vk_swiftshader_icd.json') }] : []
}

/** Variables that lead the loader to `driver`, and the linker to a loader where the system has none. */
function variablesFor(driver) {
  // Both names: loaders before 1.3.207 know only the second.
  const env = driver.manifest ? { VK_DRIVER_FILES: driver.manifest, VK_ICD_FILENAMES: driver.manifest } : {}
  const hasLoader =
    !ignoreSystem() && libraryFolders.some((folder) => existsSync(join(folder, 'libvulkan.so.1')))
  if (hasLoader) return env
  const beside = driver.manifest && dirname(driver.manifest)
  const folder = beside && existsSync(join(beside, 'libvulkan.so.1')) ? beside : unpack('driver')
  const present = (process.env.LD_LIBRARY_PATH ?? '').split(':').filter(Boolean)
  if (folder && !present.includes(folder)) env.LD_LIBRARY_PATH = [folder, ...present].join(':')
  return env
}

// Older lavapipes (Debian 12's 22.3) lack what Dawn needs, and no file says so; so ask Dawn once per driver
// and keep the answer.
function isAccepted(driver) {
  const cache = join(root, 'node_modules/.cache/alignmerge/drivers.json')
  const key = `${driver.manifest}@${statSync(driver.manifest).mtimeMs}`
  let answers = {}
  try {
    answers = JSON.parse(readFileSync(cache, 'utf8'))
  } catch {}
  if (typeof answers[key] === 'boolean') return answers[key]
  const script = `const { create } = await import('webgpu')
    process.exit((await create([]).requestAdapter()) ? 0 : 3)`
  const answer = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: root,
    env: { ...process.env, ...variablesFor(driver) },
    stdio: 'ignore',
    timeout: 60_000,
  })
  if (answer.status !== 0 && answer.status !== 3) return false // did not run to its end: ask again next time
  answers[key] = answer.status === 0
  put(cache, JSON.stringify(answers), 0o644)
  return answers[key]
}

/**
 * { name, env } for the process that loads Dawn, or undefined when there is no driver. The software drivers
 * come first because their results are the same everywhere; ALIGNMERGE_DRIVER=system leaves the choice to the
 * loader (a real GPU), and VK_DRIVER_FILES or VK_ICD_FILENAMES, when set, are respected.
 */
export function findDriver() {
  if (process.platform !== 'linux') return { name: 'system', env: {} }
  if (process.env.VK_DRIVER_FILES || process.env.VK_ICD_FILENAMES)
    return { name: 'named', env: variablesFor({}) }
  const wanted = process.env.ALIGNMERGE_DRIVER
  if (wanted === 'system') return { name: 'system', env: variablesFor({}) }
  const isWanted = (driver) => (!wanted || driver.name === wanted) && isAccepted(driver)
  const driver = (ignoreSystem() ? [] : systemDrivers()).find(isWanted) ?? npmDriver().find(isWanted)
  return driver && { name: driver.name, env: variablesFor(driver) }
}

/** Environment to merge into a process that loads Dawn; empty when nothing needs to be set or nothing was found. */
export function gpuEnvironment() {
  return findDriver()?.env ?? {}
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const browser = findBrowser()
  const driver = findDriver()
  if (!browser || !driver) {
    console.error(installHint)
    process.exitCode = 1
  } else {
    console.log(`chromium  ${browser.path} (${browser.source})`)
    const where = driver.env.VK_DRIVER_FILES ?? process.env.VK_DRIVER_FILES ?? process.env.VK_ICD_FILENAMES
    console.log(`driver    ${driver.name}${where ? ` ${where}` : ''}`)
  }
}
