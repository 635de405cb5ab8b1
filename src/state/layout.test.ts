// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest'

beforeEach(() => {
  localStorage.clear()
  vi.resetModules()
})

describe('borders', () => {
  it('stay where they were put, over a reload', async () => {
    const first = await import('./layout.ts')
    first.keepLayout('charts', [62.5, 37.5])
    vi.resetModules()
    const second = await import('./layout.ts')
    expect(second.keptLayout('charts')).toEqual([62.5, 37.5])
    second.forgetLayouts()
    expect(second.keptLayout('charts')).toBeUndefined()
    expect(localStorage.getItem('alignmerge-layout')).toBeNull()
  })

  it.each([
    ['no JSON', '{'],
    ['another shape', '[]'],
    ['shares that do not add up', '{"charts":[90,90]}'],
    ['no numbers', '{"charts":["50","50"]}'],
    ['null', 'null'],
  ])('are those of the beginning where storage holds %s', async (_what, text) => {
    localStorage.setItem('alignmerge-layout', text)
    const { keptLayout } = await import('./layout.ts')
    expect(keptLayout('charts')).toBeUndefined()
  })
})
