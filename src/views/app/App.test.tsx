// @vitest-environment happy-dom
// The page in its states, driven by an engine that makes its numbers up.
import { act, cleanup, configure, fireEvent, render, screen, within } from '@testing-library/react'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { EngineError } from '../../core/errors.ts'
import { encodeLink } from '../../share/codec.ts'
import { session } from '../../state/actions/session.ts'
import { startStudio } from '../../state/actions/start.ts'
import { initialState, readState, useStudio } from '../../state/store.ts'
import { createFakeEngine, type FakeEngine, type FakeOptions } from '../../state/testing/fakeEngine.ts'
import { App } from './App.tsx'
import { placeholderExperiment } from './placeholderExperiment.ts'

// Asking the style of every ancestor of every element takes most of the time in this DOM.
configure({ defaultHidden: true })

let stop: () => void = () => {}

async function open(options: FakeOptions = {}, waitMs = 20_000): Promise<FakeEngine> {
  const engine = createFakeEngine(options)
  // Rendered once everything has arrived: a hundred renders on the way would test nothing more.
  stop = startStudio(engine.connect)
  await vi.advanceTimersByTimeAsync(waitMs)
  render(<App />)
  // Charts are loaded apart and mounted one by one.
  await wait(500)
  return engine
}
const wait = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms))

/** Text of a row of the table of numbers. */
function cellsOf(row: string): string[] {
  const header = within(screen.getByRole('region', { name: 'Numbers' })).getByRole('rowheader', { name: row })
  return within(header.closest('tr')!)
    .getAllByRole('cell')
    .map((cell) => cell.textContent ?? '')
}

beforeEach(() => {
  vi.useFakeTimers()
  session.readShipped = async () => undefined
  history.replaceState(null, '', '#')
  localStorage.clear()
  useStudio.setState(initialState(), true)
})
afterEach(async () => {
  stop()
  await vi.advanceTimersByTimeAsync(1000)
  vi.useRealTimers()
  cleanup()
})

describe('loading', () => {
  it('has every axis and row and no number', async () => {
    await open({ stepMs: 1e7 }, 100)
    expect(screen.getByText('Reading the built-in models')).toBeTruthy()
    expect(new Set(cellsOf('Harmful refused'))).toEqual(new Set(['·']))
    expect(screen.getByText('The merge is not measured yet at this λ.')).toBeTruthy()
    expect(screen.getByRole('button', { name: 'Second opinion' })).toHaveProperty('disabled', true)
  })
})

describe('full', () => {
  it('shows estimates with interval and count beside each other', async () => {
    await open()
    expect(screen.getByText('Everything is measured')).toBeTruthy()
    const cells = cellsOf('Harmful refused')
    expect(cells).toHaveLength(5)
    for (const cell of cells) expect(cell).toMatch(/^\d+\d+–\d+128$/)
    expect(cellsOf('Own directions').slice(0, 1)).toEqual(['0'])
    expect(screen.getAllByText(/budget violated by/).length).toBeGreaterThan(0)
  })

  it('says words where there is no number', async () => {
    history.replaceState(
      null,
      '',
      encodeLink({
        experiment: {
          ...placeholderExperiment,
          anchor: { kind: 'built-in', id: 'anchor' },
          experts: [{ origin: { kind: 'built-in', id: 'uncensored' }, weight: 1 }],
        },
        view: { page: 'studio', aqiView: 'answers', prompt: '' },
      }),
    )
    await open()
    expect(cellsOf('Own answers')[1]).toBe('one class only: every answer complies')
    expect(cellsOf('Budget, nats')[1]).toBe('one class only: every answer complies')
  })

  it('shows the sweep as a table', async () => {
    await open()
    const sweep = screen.getByRole('region', { name: /^Sweep of/ })
    fireEvent.click(within(sweep).getByRole('button', { name: 'Table' }))
    const table = within(sweep).getByRole('table')
    expect(
      within(table)
        .getAllByRole('columnheader')
        .map((cell) => cell.textContent),
    ).toEqual(['λalign', '0', '0.25', '0.5', '1', '2', '4', '8', '16', '64', '1024'])
    const refused = within(table).getByRole('rowheader', { name: 'harmful refused' }).closest('tr')!
    for (const cell of within(refused).getAllByRole('cell'))
      expect(cell.textContent).toMatch(/^\d+ \[\d+–\d+\]$/)
  })

  it('answers a prompt by everybody, and says when the merge has changed since', async () => {
    await open()
    fireEvent.change(screen.getByRole('textbox', { name: 'Ask all of them' }), {
      target: { value: 'sort 3 1' },
    })
    fireEvent.click(screen.getByRole('button', { name: 'Ask' }))
    await wait(1000)
    const region = screen.getByRole('region', { name: 'Ask all of them' })
    expect(within(region).getAllByRole('article')).toHaveLength(4)
    expect(within(region).getAllByText('answers')).toHaveLength(4)
    fireEvent.change(screen.getByRole('spinbutton', { name: 'Rank' }), { target: { value: '3' } })
    expect(readState().recipe.experiment?.rank).toBe(3)
    expect(within(region).getByText(/another merge than the one on the page/)).toBeTruthy()
  })
})

describe('controls', () => {
  it('move λ by keys on the chart, to the next sweep point with page keys', async () => {
    await open()
    const slider = screen.getByRole('slider', { name: 'λ_align, the alignment shield' })
    fireEvent.keyDown(slider, { key: 'PageUp' })
    expect(readState().recipe.experiment?.lambdaAlign).toBe(8)
    fireEvent.keyDown(slider, { key: 'Home' })
    expect(readState().recipe.experiment?.lambdaAlign).toBe(0)
    fireEvent.keyDown(slider, { key: 'ArrowRight' })
    expect(readState().recipe.experiment?.lambdaAlign).toBeGreaterThan(0)
    expect(slider.getAttribute('aria-valuetext')).toMatch(/^λ 0\.0\d+$/)
  })

  it('lock λ where the method has none', async () => {
    await open()
    const choose = (value: string) =>
      fireEvent.change(screen.getByRole('combobox', { name: 'Method' }), { target: { value } })
    choose('fisher_average')
    await wait(5000)
    expect(screen.queryByRole('slider', { name: 'λ_align, the alignment shield' })).toBeNull()
    expect(screen.getByRole('columnheader', { name: 'Merge: Fisher average' })).toBeTruthy()
    choose('linear')
    const slider = screen.getByRole('slider', { name: 'λ_align, the alignment shield' })
    expect(slider.getAttribute('aria-disabled')).toBe('true')
    fireEvent.keyDown(slider, { key: 'End' })
    expect(readState().recipe.experiment?.lambdaAlign).toBe(4)
  })

  it('keep half-typed numbers to themselves', async () => {
    await open()
    const input = screen.getByRole('spinbutton', { name: 'Shield' })
    fireEvent.change(input, { target: { value: '' } })
    expect(readState().recipe.experiment?.lambdaAlign).toBe(4)
    fireEvent.change(input, { target: { value: '5000' } })
    expect(readState().recipe.experiment?.lambdaAlign).toBe(4)
    fireEvent.blur(input)
    expect(readState().recipe.experiment?.lambdaAlign).toBe(1024)
  })

  it('stop and go on', async () => {
    await open({ stepMs: 1000 }, 3000)
    fireEvent.click(screen.getByRole('button', { name: 'Cancel' }))
    await wait(1)
    expect(screen.getByText('Stopped; results are kept')).toBeTruthy()
    fireEvent.click(screen.getByRole('button', { name: 'Run again' }))
    await wait(100)
    expect(screen.getByRole('button', { name: 'Cancel' })).toBeTruthy()
  })
})

describe('errors', () => {
  it('name code, message and place, and can be dismissed', async () => {
    await open({
      errors: {
        prepare: new EngineError('shape-mismatch', 'found [4, 2], expected [4, 4]', { tensor: 'wte' }),
      },
    })
    const card = screen.getByRole('alert')
    expect(card.textContent).toContain('shape-mismatch')
    expect(card.textContent).toContain('found [4, 2], expected [4, 4]')
    expect(within(card).getByText('wte')).toBeTruthy()
    fireEvent.click(within(card).getByRole('button', { name: 'Dismiss' }))
    expect(screen.queryByRole('alert')).toBeNull()
    expect(screen.getByText('1 measurement failed')).toBeTruthy()
  })

  it('explain a page without WebGPU', async () => {
    await open({ openError: new EngineError('gpu-unavailable', 'no adapter') })
    expect(screen.getByRole('heading', { name: 'This browser gives the page no WebGPU' })).toBeTruthy()
    expect(screen.getByText(/no adapter/)).toBeTruthy()
  })

  it('offer to open a lost device again', async () => {
    const engine = await open()
    act(() => engine.emit({ kind: 'device-lost', reason: 'driver reset' }))
    expect(screen.getByText(/driver reset/)).toBeTruthy()
    fireEvent.click(screen.getByRole('button', { name: 'Reopen the engine' }))
    await wait(5000)
    expect(screen.queryByText(/driver reset/)).toBeNull()
    expect(screen.getByText('Everything is measured')).toBeTruthy()
  })

  it('ask before loading what a link names', async () => {
    const url = 'https://example.org/model/'
    history.replaceState(
      null,
      '',
      encodeLink({
        experiment: {
          ...placeholderExperiment,
          anchor: { kind: 'built-in', id: 'anchor' },
          experts: [{ origin: { kind: 'url', url }, weight: 1 }],
        },
        view: { page: 'studio', aqiView: 'prompts', prompt: '' },
      }),
    )
    const engine = await open()
    expect(engine.calls).not.toContain('openUrl')
    await vi.dynamicImportSettled() // the question is loaded apart
    await wait(100)
    const question = screen.getByRole('alertdialog')
    expect(within(question).getByText('example.org')).toBeTruthy()
    expect(within(question).getByText(url)).toBeTruthy()
    fireEvent.click(within(question).getByRole('button', { name: 'Fetch from these hosts' }))
    await wait(20_000)
    expect(engine.calls).toContain('openUrl')
    expect(screen.getByText('Everything is measured')).toBeTruthy()
  })
})
