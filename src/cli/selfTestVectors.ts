// `npm run vectors`: computes the self-test's reference values in float64 and writes public/selftest.safetensors.

import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { makeVectors, VECTOR_FILE, writeVectors } from '../core/selfTest/vectors.ts'

const parts: Uint8Array[] = []
for await (const part of writeVectors(makeVectors())) parts.push(part)
const bytes = Buffer.concat(parts)
const path = resolve(import.meta.dirname, '../../public', VECTOR_FILE)
await writeFile(path, bytes)
console.log(`${path}: ${bytes.byteLength} bytes`)
