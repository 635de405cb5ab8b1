import { deflateSync, strToU8 } from 'fflate'
import { describe, expect, it } from 'vitest'
import { decodeLink, encodeLink } from './codec.ts'
import type { LinkState } from './experiment.ts'
import { originKey } from './experimentKey.ts'
import { numberParameters } from './parameters.ts'
import { upgradeContent } from './upgrades.ts'

const state: LinkState = {
  experiment: {
    method: 'alignmerge',
    parameters: {},
    references: {},
    antidote: 0,
    anchor: { kind: 'built-in', id: 'anchor' },
    experts: [
      { origin: { kind: 'url', url: 'https://example.org/größe/model/' }, weight: 0.25 },
      { origin: { kind: 'files', name: 'my expert', digest: 'ab'.repeat(32) }, weight: 0.75 },
    ],
    lambdaAlign: 4,
    rank: 8,
    damping: 0.01,
    metric: 'fisher',
    source: 'margin',
    fisher: { labels: 'sampled', form: 'sequence' },
    probesPerClass: 128,
    seed: 1,
  },
  view: { page: 'compare', aqiView: 'completions', prompt: 'sort 3 1 2 — ünïcode' },
}

function hashOf(content: unknown, version = 4): string {
  const bytes = deflateSync(strToU8(JSON.stringify(content)))
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
  return `#v${version}.${text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`
}

function edited(
  edit: (copy: { experiment: Record<string, unknown>; view: Record<string, unknown> }) => void,
) {
  const copy = structuredClone(state) as unknown as Parameters<typeof edit>[0]
  edit(copy)
  return decodeLink(hashOf(copy))
}

describe('link', () => {
  it('comes back as it went', () => {
    expect(decodeLink(encodeLink(state))).toEqual({ kind: 'link', state, adjusted: [] })
  })

  it('says which labeller was used, where it was not the shipped one', () => {
    const labeller = { name: 'my rules.json', digest: '0f'.repeat(32) }
    const own = { ...state, view: { ...state.view, labeller } }
    expect(decodeLink(encodeLink(own))).toEqual({ kind: 'link', state: own, adjusted: [] })
    expect(encodeLink(own)).not.toBe(encodeLink(state))
  })

  it('names models of a hub by commit, and kept ones by content', () => {
    const commit = '0123456789abcdef'.repeat(3).slice(0, 40)
    const anchor = { kind: 'hub', repo: 'microsoft/Phi-3.5-mini-instruct', revision: commit } as const
    const experts = [
      { origin: { ...anchor, hub: 'https://mirror.example', part: 'a/Q4_0.gguf' }, weight: 0.5 },
      { origin: { kind: 'stored', name: 'my expert', digest: 'ab'.repeat(32) } as const, weight: 0.5 },
    ]
    const own: LinkState = {
      experiment: { ...state.experiment, anchor, experts },
      view: { ...state.view, page: 'library' },
    }
    expect(decodeLink(encodeLink(own))).toEqual({ kind: 'link', state: own, adjusted: [] })
    expect(new Set([anchor, ...experts.map(({ origin }) => origin)].map(originKey)).size).toBe(3)
  })

  it('fits an address bar and needs no escapes', () => {
    const hash = encodeLink(state)
    expect(hash).toMatch(/^#v4\.[A-Za-z0-9_-]+$/)
    expect(hash.length).toBeLessThan(700)
  })

  it('takes an empty hash for no link', () => {
    expect(decodeLink('')).toEqual({ kind: 'none' })
    expect(decodeLink('#')).toEqual({ kind: 'none' })
  })

  it('clamps every number into its declared range and says which', () => {
    for (const id of ['lambdaAlign', 'rank', 'damping', 'probesPerClass', 'seed'] as const) {
      for (const [given, expected] of [
        [-1e9, numberParameters[id].min],
        [1e9, numberParameters[id].max],
      ]) {
        const decoded = edited(({ experiment }) => {
          experiment[id] = given
        })
        if (decoded.kind !== 'link') throw new Error(`${id} refused`)
        expect(decoded.state.experiment[id]).toBe(expected)
        expect(decoded.adjusted).toEqual([`experiment.${id}`])
      }
    }
  })

  it.each<[string, Parameters<typeof edited>[0]]>([
    ['a number as text', ({ experiment }) => Object.assign(experiment, { lambdaAlign: '4' })],
    ['a number that is null', ({ experiment }) => Object.assign(experiment, { rank: null })],
    ['an unknown method', ({ experiment }) => Object.assign(experiment, { method: 'souffle' })],
    ['an unknown field', ({ experiment }) => Object.assign(experiment, { extra: 1 })],
    ['a missing field', ({ experiment }) => Reflect.deleteProperty(experiment, 'fisher')],
    ['no experts', ({ experiment }) => Object.assign(experiment, { experts: [] })],
    ['experts that are no list', ({ experiment }) => Object.assign(experiment, { experts: { length: 1 } })],
    [
      'a script address',
      ({ experiment }) => Object.assign(experiment, { anchor: { kind: 'url', url: 'javascript:alert(1)' } }),
    ],
    [
      'mixed origins',
      ({ experiment }) =>
        Object.assign(experiment, { anchor: { kind: 'url', url: 'https://a.b/', id: 'x' } }),
    ],
    [
      'a hub repository at a branch',
      ({ experiment }) =>
        Object.assign(experiment, { anchor: { kind: 'hub', repo: 'a/b', revision: 'main' } }),
    ],
    [
      'a hub repository that climbs',
      ({ experiment }) =>
        Object.assign(experiment, { anchor: { kind: 'hub', repo: '../b', revision: 'a'.repeat(40) } }),
    ],
    [
      'a hub at an address with credentials',
      ({ experiment }) =>
        Object.assign(experiment, {
          anchor: { kind: 'hub', repo: 'a/b', revision: 'a'.repeat(40), hub: 'https://me:hf_x@b.example' },
        }),
    ],
    [
      'a part of a hub repository that climbs',
      ({ experiment }) =>
        Object.assign(experiment, {
          anchor: { kind: 'hub', repo: 'a/b', revision: 'a'.repeat(40), part: '../c.gguf' },
        }),
    ],
    [
      'a token beside a hub repository',
      ({ experiment }) =>
        Object.assign(experiment, {
          anchor: { kind: 'hub', repo: 'a/b', revision: 'a'.repeat(40), token: 'hf_x' },
        }),
    ],
    ['a view that is a list', ({ view }) => Object.assign(view, { aqiView: ['prompts'] })],
    ['a labeller without digest', ({ view }) => Object.assign(view, { labeller: { name: 'mine' } })],
    [
      'a labeller by its first digits',
      ({ view }) => Object.assign(view, { labeller: { name: 'mine', digest: 'ab'.repeat(8) } }),
    ],
    [
      'a labeller with its rules',
      ({ view }) => Object.assign(view, { labeller: { name: 'mine', digest: 'ab'.repeat(32), rules: [] } }),
    ],
    ['a prompt without end', ({ view }) => Object.assign(view, { prompt: 'x'.repeat(3000) })],
  ])('refuses %s', (_name, edit) => expect(edited(edit)).toMatchObject({ kind: 'invalid' }))

  it.each([
    '#garbage',
    '#v1.',
    '#v1.!!!!',
    '#v1.AAAA',
    '#v0.AAAA',
    encodeLink(state).slice(0, -20),
    encodeLink(state).replace('#v4', '#v5'),
    hashOf(null),
    hashOf([]),
    hashOf('text'),
    `#${'x'.repeat(20_000)}`,
  ])('answers %s in words', (hash) => {
    const decoded = decodeLink(hash)
    if (decoded.kind !== 'invalid') throw new Error('taken')
    expect(decoded.reason.length).toBeGreaterThan(10)
  })

  it('names the version of a link from the future', () => {
    expect(decodeLink('#v7.abc')).toMatchObject({
      kind: 'invalid',
      reason: expect.stringContaining('version 7'),
    })
  })

  it('does not inflate a bomb', () => {
    expect(decodeLink(hashOf('0'.repeat(3_000_000)))).toMatchObject({ kind: 'invalid' })
  })

  it('survives any cut and any changed letter', () => {
    const hash = encodeLink(state)
    for (let index = 4; index < hash.length; index += 3) {
      decodeLink(hash.slice(0, index))
      decodeLink(`${hash.slice(0, index)}A${hash.slice(index + 1)}`)
    }
  })
})

describe('method parameters', () => {
  const withMethod = (method: string, parameters: unknown, experts = state.experiment.experts) =>
    decodeLink(hashOf({ ...state, experiment: { ...state.experiment, method, parameters, experts } }))

  it('are taken as declared, clamped into their range', () => {
    expect(withMethod('fisher_average', { floor: 1e-3, variant: 'paper' })).toMatchObject({
      state: { experiment: { parameters: { floor: 1e-3, variant: 'paper' } } },
      adjusted: [],
    })
    expect(withMethod('fisher_average', { floor: 7 })).toMatchObject({
      state: { experiment: { parameters: { floor: 1 } } },
      adjusted: ['experiment.parameters.floor'],
    })
  })

  it.each([
    ['an unknown method', 'souffle', {}, 'souffle'],
    ['an unknown parameter', 'linear', { density: 0.5 }, 'density'],
    ['a choice that is none', 'fisher_average', { variant: 'x' }, 'variant'],
    ['a switch that is a number', 'linear', { normalize: 1 }, 'normalize'],
    ['no parameters', 'linear', undefined, 'parameters'],
  ])('refuse %s', (_name, method, parameters, word) => {
    expect(withMethod(method, parameters)).toMatchObject({
      kind: 'invalid',
      reason: expect.stringContaining(word),
    })
  })
})

describe('upgrades', () => {
  it.each([
    ['average', 'linear', {}],
    ['fisher-soup', 'fisher_average', { floor: 1e-10, normalize_fishers: false, variant: 'common' }],
    ['alignmerge', 'alignmerge', {}],
  ])('of version 1 turn %s into %s', (old, method, parameters) => {
    const { parameters: _, ...experiment } = state.experiment
    const { page: __, ...view } = state.view
    const hash = hashOf({ view, experiment: { ...experiment, method: old } }, 1)
    expect(decodeLink(hash)).toEqual({
      kind: 'link',
      state: {
        experiment: { ...state.experiment, method, parameters },
        view: { ...state.view, page: 'studio' },
      },
      adjusted: [],
    })
  })
  it('of version 2 is read as it was written', () => {
    expect(decodeLink(hashOf(state, 2))).toEqual({ kind: 'link', state, adjusted: [] })
  })
  it('are applied in order', () => {
    const table = { 1: (text: unknown) => `${text}b`, 2: (text: unknown) => `${text}c` }
    expect(upgradeContent('a', 1, 3, table)).toEqual({ content: 'abc' })
  })
  it('stop at a missing step', () => {
    expect(upgradeContent('a', 1, 3, { 1: (text) => text })).toBeUndefined()
  })
})
