// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from 'vitest'
import { decodeLink, encodeLink } from '../../share/codec.ts'
import { presets } from '../../share/presets.ts'
import { placeholderExperiment } from '../../views/app/placeholderExperiment.ts'
import { initialState, readState, update, useStudio } from '../store.ts'
import { applyKept, applyPreset, fittingPresets, forgetPreset, keepPreset, useKeptPresets } from './store.ts'

beforeEach(() => {
  localStorage.clear()
  useStudio.setState(initialState(), true)
  useKeptPresets.setState({ list: [] })
  update('recipe', { experiment: placeholderExperiment })
})

describe('built-in presets', () => {
  it.each(presets.map((preset) => [preset.id, preset] as const))(
    '%s is a valid experiment',
    (_id, preset) => {
      const experiment = { ...placeholderExperiment, ...preset.change }
      const hash = encodeLink({ experiment, view: { page: 'studio', aqiView: 'prompts', prompt: '' } })
      const decoded = decodeLink(hash)
      expect(decoded.kind === 'link' && decoded.adjusted).toEqual([])
    },
  )

  it('keep probes and seed', () => {
    update('recipe', { experiment: { ...placeholderExperiment, seed: 9, probesPerClass: 64 } })
    applyPreset(presets.find(({ id }) => id === 'uncensored-average')!)
    expect(readState().recipe.experiment).toMatchObject({ seed: 9, probesPerClass: 64, method: 'linear' })
  })

  it('are offered where their models are', () => {
    expect(fittingPresets(new Set(['anchor', 'task-sort']))).toEqual([])
    expect(fittingPresets(new Set(['anchor', 'task-sort', 'task-reverse'])).map(({ id }) => id)).toEqual([
      'tasks-shielded',
      'tasks-average',
      'tasks-ties',
    ])
  })
})

describe('kept recipes', () => {
  it('come back after a reload, the newest first, one of each name', async () => {
    keepPreset('first')
    update('recipe', { experiment: { ...placeholderExperiment, rank: 3 } })
    keepPreset('second')
    keepPreset('first')
    const stored = JSON.parse(localStorage.getItem('alignmerge-presets')!) as { name: string; link: string }[]
    expect(stored.map(({ name }) => name)).toEqual(['first', 'second'])
    applyKept(useKeptPresets.getState().list[0]!)
    expect(readState().recipe.experiment?.rank).toBe(3)
    forgetPreset('first')
    expect(useKeptPresets.getState().list.map(({ name }) => name)).toEqual(['second'])
  })

  it('of another tab are not written over', () => {
    keepPreset('here')
    const [{ link }] = JSON.parse(localStorage.getItem('alignmerge-presets')!) as [{ link: string }]
    const there = [
      { name: 'there', link },
      { name: 'here', link },
    ]
    localStorage.setItem('alignmerge-presets', JSON.stringify(there))
    dispatchEvent(new StorageEvent('storage', { key: 'alignmerge-presets' }))
    keepPreset('last')
    const stored = JSON.parse(localStorage.getItem('alignmerge-presets')!) as { name: string }[]
    expect(stored.map(({ name }) => name)).toEqual(['last', 'there', 'here'])
  })

  it('are dropped where storage holds anything else', async () => {
    localStorage.setItem('alignmerge-presets', JSON.stringify([{ name: 'x', link: '#v3.broken' }, null, 7]))
    const { vi } = await import('vitest')
    vi.resetModules()
    const fresh = await import('./store.ts')
    expect(fresh.useKeptPresets.getState().list).toEqual([])
  })
})
