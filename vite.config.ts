import { readFileSync } from 'node:fs'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import type {} from 'vitest/config'
import { gpuEnvironment } from './scripts/setup.mjs'
import { chartScales } from './scripts/site/chartScales.ts'
import { docsPlugin } from './scripts/site/docs.ts'
import { siteHeaders } from './scripts/site/headers.mjs'
import { licencesPlugin } from './scripts/site/licences.ts'
import { sitePlugin } from './scripts/site/plugin.ts'

// Without the policy: Vite's own reload is an inline script, and what is tested is the build.
const { 'Content-Security-Policy': _policy, ...headers } = siteHeaders

// Test files run in forks, which inherit this process's environment, the linker's path included.
if (process.env.VITEST) Object.assign(process.env, gpuEnvironment())
const isNode20 = Number.parseInt(process.versions.node, 10) < 22

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))

export default defineConfig({
  define: { STUDIO_VERSION: JSON.stringify(version) },
  base: './',
  plugins: [react(), chartScales(), licencesPlugin(), docsPlugin(), sitePlugin()],
  // onnxruntime-web finds its .mjs and .wasm through `?url` imports; pre-bundling would break its own URLs.
  optimizeDeps: { exclude: ['onnxruntime-web'] },
  worker: { format: 'es' },
  server: { headers },
  preview: { headers: siteHeaders },
  build: {
    target: 'esnext',
    assetsInlineLimit: (path) => (/\.(wasm|mjs)$/.test(path) ? false : undefined),
    chunkSizeWarningLimit: 1000,
    rolldownOptions: {
      output: {
        // Pages change often, React seldom: a new release then leaves it in the browser's cache. Charts are split by
        // what each of them needs: the first one is loaded before there is anything to see.
        codeSplitting: {
          groups: [{ name: 'react', test: /node_modules[\\/](react|react-dom|scheduler|zustand)[\\/]/ }],
        },
      },
    },
  },
  test: {
    include: ['{src,workers,zoo,bench,scripts}/**/*.test.{ts,tsx}'],
    environment: 'node',
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Node 20 would spend most of a minute optimising onnxruntime-web's wasm.
    execArgv: isNode20 ? ['--liftoff-only'] : [],
  },
})
