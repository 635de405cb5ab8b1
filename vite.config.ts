import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import type {} from 'vitest/config'
import { gpuEnvironment } from './scripts/setup.mjs'

// SharedArrayBuffer, and with it onnxruntime-web's threads, needs a cross-origin isolated page.
const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
}

// Test files run in forks, which inherit this process's environment, the linker's path included.
if (process.env.VITEST) Object.assign(process.env, gpuEnvironment())
const isNode20 = Number.parseInt(process.versions.node, 10) < 22

export default defineConfig({
  base: './',
  plugins: [react()],
  // onnxruntime-web finds its .mjs and .wasm through `?url` imports; pre-bundling would break its own URLs.
  optimizeDeps: { exclude: ['onnxruntime-web'] },
  worker: { format: 'es' },
  server: { headers: isolation },
  preview: { headers: isolation },
  build: {
    target: 'esnext',
    assetsInlineLimit: (path) => (/\.(wasm|mjs)$/.test(path) ? false : undefined),
    chunkSizeWarningLimit: 1000,
    rolldownOptions: {
      output: {
        // Pages change often, libraries seldom: a new release then leaves these two in the browser's cache.
        codeSplitting: {
          groups: [
            { name: 'react', test: /node_modules[\\/](react|react-dom|scheduler|zustand)[\\/]/ },
            { name: 'charts', test: /node_modules[\\/](recharts|d3-[a-z]+|victory-vendor)[\\/]/ },
          ],
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
