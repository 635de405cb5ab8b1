// @vitest-environment happy-dom
import { act, cleanup, configure, fireEvent, render, screen } from '@testing-library/react'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openPalette, useDialogs } from '../../state/dialogs.ts'
import { present } from '../../state/share/presentation.ts'
import { initialState, readState, update, useStudio } from '../../state/store.ts'
import { placeholderExperiment } from '../app/placeholderExperiment.ts'
import { commandGroups } from './commands.ts'
import Palette, { matches } from './Palette.tsx'

configure({ defaultHidden: true })

beforeEach(() => {
  useStudio.setState(initialState(), true)
  update('recipe', { experiment: placeholderExperiment })
  openPalette()
})
afterEach(cleanup)

describe('commands', () => {
  it('have ids and labels of their own', () => {
    const all = commandGroups().flatMap(({ items }) => items)
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length)
    expect(new Set(all.map(({ label }) => label)).size).toBe(all.length)
    expect(all.length).toBeGreaterThan(50)
  })

  it('are found by any of their words, in any order', () => {
    expect(matches('Merge by TIES: trimmed', 'ties merge')).toBe(true)
    expect(matches('Merge by TIES: trimmed', 'dare')).toBe(false)
    expect(matches('Merge by TIES: trimmed', '')).toBe(true)
  })
})

describe('the palette', () => {
  it('narrows down as one types and does what is chosen', async () => {
    render(<Palette />)
    const input = screen.getByRole('combobox', { name: 'Search commands' })
    expect(screen.getAllByRole('option').length).toBeGreaterThan(50)
    await act(async () => fireEvent.change(input, { target: { value: 'λ_align 64' } }))
    const options = screen.getAllByRole('option')
    expect(options.map((option) => option.textContent)).toEqual(['Set λ_align to 64'])
    await act(async () => fireEvent.click(options[0]!))
    expect(readState().recipe.experiment?.lambdaAlign).toBe(64)
    expect(useDialogs.getState().open).toBeNull()
  })

  it('opens the Share dialog, where there is something to share and a lesson leaves it in', async () => {
    const ids = () => commandGroups().flatMap(({ items }) => items.map(({ id }) => id))
    render(<Palette />)
    const input = screen.getByRole('combobox', { name: 'Search commands' })
    await act(async () => fireEvent.change(input, { target: { value: 'share link frame' } }))
    const [option] = screen.getAllByRole('option')
    expect(option!.textContent).toMatch(/^Share: /)
    await act(async () => fireEvent.click(option!))
    expect(useDialogs.getState().open).toBe('share')
    present('?hide=share')
    expect(ids()).not.toContain('share dialog')
    present('')
    expect(ids()).toContain('share dialog')
    update('recipe', { experiment: null })
    expect(ids()).not.toContain('share dialog')
  })

  it('says when nothing fits', async () => {
    render(<Palette />)
    const input = screen.getByRole('combobox', { name: 'Search commands' })
    await act(async () => fireEvent.change(input, { target: { value: 'xyzzy' } }))
    expect(screen.queryAllByRole('option')).toEqual([])
    expect(screen.getByText('No command has these words.')).toBeTruthy()
  })
})
