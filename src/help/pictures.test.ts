// The pictures of the method cards against the references that draw them. With ALIGNMERGE_WRITE=1 the file is written
// anew.

import { writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { drawAll } from '../testing/methodPictures.ts'
import pictures from './pictures.json' with { type: 'json' }

const drawn = drawAll()
if (process.env.ALIGNMERGE_WRITE)
  writeFileSync(new URL('./pictures.json', import.meta.url), `${JSON.stringify(drawn)}\n`)

it('are what the float64 references compute', () => {
  expect(process.env.ALIGNMERGE_WRITE ? drawn : pictures).toEqual(drawn)
})
