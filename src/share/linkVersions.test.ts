// One link of each version opens, and what version 4 adds is checked like the rest.
import { deflateSync, strToU8 } from 'fflate'
import { describe, expect, it } from 'vitest'
import { storedLinks } from '../testing/storedLinks.ts'
import { placeholderExperiment } from '../views/app/placeholderExperiment.ts'
import { decodeLink, encodeLink } from './codec.ts'
import type { LinkState } from './experiment.ts'
import { unpackResults } from './results.ts'
import { currentVersion } from './upgrades.ts'

const experiment = placeholderExperiment
const full: LinkState = {
  experiment,
  view: {
    page: 'studio',
    aqiView: 'prompts',
    prompt: '',
    tables: ['sweep', 'layers'],
    sweep: {
      kind: 'grid',
      x: { parameter: 'lambdaAlign', from: 0, to: 1024, count: 5 },
      y: { parameter: 'own.lambda_bud', from: 0, to: 4, count: 5 },
    },
    picture: 'pareto',
    pins: { a: { ...experiment, lambdaAlign: 16 }, b: { ...experiment, method: 'ties' } },
    isEmbed: true,
    hide: ['library', 'merge', 'recipe'],
  },
  weights: { anchor: 'ab'.repeat(32), 'llama/task-sort': '01'.repeat(32) },
}

function edited(edit: (copy: { view: Record<string, unknown>; weights: Record<string, unknown> }) => void) {
  const copy = structuredClone(full) as unknown as Parameters<typeof edit>[0]
  edit(copy)
  return decodeLink(encodeLink(copy as unknown as LinkState))
}

describe('stored links', () => {
  it('are there for every version', () => {
    expect(storedLinks.map(({ version }) => version)).toEqual(
      Array.from({ length: currentVersion }, (_, index) => index + 1),
    )
  })

  it.each(storedLinks)('of version $version open', ({ version, hash, method, page, aqiView }) => {
    expect(hash.startsWith(`#v${version}.`)).toBe(true)
    const decoded = decodeLink(hash)
    if (decoded.kind !== 'link') throw new Error(JSON.stringify(decoded))
    const { state, adjusted } = decoded
    expect(adjusted).toEqual([])
    expect(state.experiment.method).toBe(method)
    expect(state.experiment.probesPerClass).toBe(64)
    expect(state.view).toMatchObject({ page, aqiView })
    if (state.results !== undefined)
      expect(unpackResults(state.results, state.experiment)).toMatchObject({ ok: true })
    // Written again it is a link of today that says the same.
    expect(decodeLink(encodeLink(state))).toEqual({ kind: 'link', state, adjusted: [] })
  })
})

describe('version 4', () => {
  it('comes back as it went', () => {
    expect(decodeLink(encodeLink(full))).toEqual({ kind: 'link', state: full, adjusted: [] })
  })

  it.each<[string, Parameters<typeof edited>[0]]>([
    ['a chart that is none', ({ view }) => Object.assign(view, { tables: ['about'] })],
    ['tables without end', ({ view }) => Object.assign(view, { tables: Array(50).fill('sweep') })],
    ['a sweep of nothing', ({ view }) => Object.assign(view, { sweep: { kind: 'line' } })],
    [
      'a sweep of a million points',
      ({ view }) =>
        Object.assign(view, {
          sweep: { kind: 'line', x: { parameter: 'rank', from: 0, to: 1, count: 1e6 } },
        }),
    ],
    ['a picture that is none', ({ view }) => Object.assign(view, { picture: 'svg' })],
    ['a pin that is no experiment', ({ view }) => Object.assign(view, { pins: { a: {} } })],
    ['three pins', ({ view }) => Object.assign(view, { pins: { c: experiment } })],
    ['half an embedding', ({ view }) => Object.assign(view, { isEmbed: 'yes' })],
    ['a part to hide that is none', ({ view }) => Object.assign(view, { hide: ['errors'] })],
    ['weights that are no hash', ({ weights }) => Object.assign(weights, { anchor: 'ab' })],
    ['weights of a model elsewhere', ({ weights }) => Object.assign(weights, { '../x': 'ab'.repeat(32) })],
    ['a token', ({ view }) => Object.assign(view, { token: 'hf_x' })],
  ])('refuses %s', (_name, edit) => expect(edited(edit)).toMatchObject({ kind: 'invalid' }))

  it('is not led down a hole', () => {
    const deep = `{"results":${'['.repeat(50_000)}${']'.repeat(50_000)}}`
    const bytes = deflateSync(strToU8(deep))
    const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
    const hash = `#v4.${text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`
    expect(decodeLink(hash)).toMatchObject({ kind: 'invalid', reason: expect.stringContaining('nested') })
  })

  it('counts brackets in text as text', () => {
    const prompt = `${'['.repeat(100)}"\\"${'{'.repeat(100)}`
    const state = { ...full, view: { ...full.view, prompt } }
    expect(decodeLink(encodeLink(state))).toEqual({ kind: 'link', state, adjusted: [] })
  })
})
