// @vitest-environment happy-dom
// The page in its states, driven by an engine that makes its numbers up.
import { act, cleanup, configure, fireEvent, render, screen, within } from '@testing-library/react'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { EngineError } from '../../core/errors.ts'
import { encodeLink } from '../../share/codec.ts'
import { setParameter } from '../../state/actions/recipe.ts'
import { session } from '../../state/actions/session.ts'
import { startStudio } from '../../state/actions/start.ts'
import { setPage } from '../../state/actions/view.ts'
import { closeDialog } from '../../state/dialogs.ts'
import { initialState, readState, useStudio } from '../../state/store.ts'
import { createFakeEngine, type FakeEngine, type FakeOptions } from '../../state/testing/fakeEngine.ts'
import { setWindowWidth } from '../../state/testing/windowWidth.ts'
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
/** What is loaded apart arrives in time that does not stand still, and is shown a moment later. */
const realTimeout = setTimeout
const arrival = () =>
  act(async () => {
    await new Promise((resolve) => realTimeout(resolve, 10))
    await vi.advanceTimersByTimeAsync(300)
  })
const wait = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms))

/** Text of a row of the table of numbers. */
function cellsOf(row: string): string[] {
  const header = within(screen.getByRole('region', { name: 'Numbers' })).getByRole('rowheader', { name: row })
  return within(header.closest('tr')!)
    .getAllByRole('cell')
    .map((cell) => cell.textContent ?? '')
}

// The first test that opens one of them would pay for it, in time that stands still here.
beforeAll(() =>
  Promise.all([
    import('../learn/LearnPage.tsx'),
    import('../library/LibraryPage.tsx'),
    import('../streamed/StreamedPage.tsx'),
    import('../palette/Palette.tsx'),
    import('./WithoutGpuNotice.tsx'),
  ]),
)
beforeEach(() => {
  // Not in this DOM, and in every browser.
  vi.stubGlobal('isSecureContext', true)
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

describe('on a phone', () => {
  const setWidth = (width: number) => act(() => setWindowWidth(width))
  beforeEach(() => setWidth(390))
  afterEach(() => setWidth(1024))

  const side = () => screen.getByRole('complementary', { name: 'Experiment' })
  /** The first stands before the second where it is read and where keys go. */
  const isBefore = (first: Element, second: Element) =>
    (first.compareDocumentPosition(second) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0

  it('pictures and numbers come before the recipe, and one press leads there and back', async () => {
    await open()
    for (const name of [/^Sweep of/, 'Clusters', 'Numbers'])
      expect(isBefore(screen.getByRole('region', { name }), side())).toBe(true)
    expect(isBefore(screen.getByRole('main'), side())).toBe(true)
    const line = document.querySelector('.recipe-line')!
    expect(line.textContent).toContain('AlignMerge, λ 4')
    expect(line.textContent).toContain('Task expert: sort + Task expert: reverse around Anchor')
    fireEvent.click(screen.getByRole('button', { name: '↓ Recipe' }))
    expect(document.activeElement).toBe(side())
    fireEvent.click(within(side()).getByRole('button', { name: '↑ Back to the top' }))
    expect(document.activeElement).toBe(screen.getByRole('main'))
  })

  it('commands and their keys work, and a page without a recipe has no way to one', async () => {
    await open()
    fireEvent.keyDown(document.body, { key: 'k', ctrlKey: true })
    for (let round = 0; round < 20 && !screen.queryByRole('combobox', { name: 'Search commands' }); round++)
      await arrival()
    expect(screen.getByRole('combobox', { name: 'Search commands' })).toBeTruthy()
    act(closeDialog)
    await act(async () => setPage('learn'))
    for (
      let round = 0;
      round < 20 && !screen.queryByRole('navigation', { name: 'Parts of this page' });
      round++
    )
      await arrival()
    expect(screen.queryByRole('button', { name: '↓ Recipe' })).toBeNull()
    expect(screen.getByRole('navigation', { name: 'Parts of this page' })).toBeTruthy()
  })

  it('a wide window has the recipe first, and no line about it', async () => {
    await open()
    setWidth(1024)
    await wait(500)
    expect(isBefore(side(), screen.getByRole('main'))).toBe(true)
    expect(screen.queryByRole('button', { name: '↓ Recipe' })).toBeNull()
    expect(screen.queryByRole('button', { name: '↑ Back to the top' })).toBeNull()
  })
})

describe('without gradients', () => {
  const controls = () =>
    ['Rounds', 'Budget weight', 'Tolerance']
      .map((name) => screen.getByRole('spinbutton', { name }) as HTMLInputElement)
      .concat(
        screen.getAllByRole('checkbox', { name: /Search for the shield|One-sided/ }) as HTMLInputElement[],
      )
  const groups = () =>
    ['Budget', 'Weights of directions', 'Subspace', 'Control'].map(
      (name) => screen.getByRole('group', { name }) as HTMLFieldSetElement,
    )
  const reason = 'Rounds, budgets and controls of AlignMerge take gradients, which need WebGPU.'

  it('AlignMerge’s own parameters and the antidote are off and say why', async () => {
    await open({ isCpu: true })
    for (const control of [...controls(), ...groups()]) expect(control.disabled).toBe(true)
    const section = screen.getByRole('combobox', { name: 'Method' }).closest('details')!
    expect(within(section).getByText(reason)).toBeTruthy()
    expect(within(section).getAllByTitle(reason)).toHaveLength(9)
    expect(screen.getByRole('spinbutton', { name: 'Shield' })).toHaveProperty('disabled', false)
    expect(screen.getByRole('spinbutton', { name: 'Antidote' })).toHaveProperty('disabled', true)
  })

  it('what a link has set can be put back', async () => {
    await open({ isCpu: true })
    await act(async () => setParameter('rounds', 2))
    const rounds = screen.getByRole('spinbutton', { name: 'Rounds' })
    expect(rounds).toHaveProperty('disabled', false)
    fireEvent.change(rounds, { target: { value: '0' } })
    expect(rounds).toHaveProperty('disabled', true)
  })

  it('with WebGPU all of them are on, what serves a budget as soon as there is one', async () => {
    await open()
    expect(screen.getAllByTitle('Changes nothing without: Budget')).toHaveLength(3)
    expect(controls().map(({ disabled }) => disabled)).toEqual([false, true, true, true, false])
    await act(async () => setParameter('budget', 'margin'))
    for (const control of [...controls(), ...groups()]) expect(control.disabled).toBe(false)
    expect(screen.queryByText(reason)).toBeNull()
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

  it('leave open what needs no engine, with a word about why the rest is off', async () => {
    await open({ openError: new EngineError('gpu-unavailable', 'no adapter') })
    for (const [name, part] of [
      ['Learn', /A tour in ten minutes/],
      ['Library', /Add a model/],
      ['Merge', /Merge to disk/],
    ] as const) {
      fireEvent.click(within(screen.getByRole('navigation', { name: 'Pages' })).getByRole('button', { name }))
      // Parts of a page are loaded one after another.
      const notice = () => screen.queryByRole('region', { name: 'No WebGPU' })
      const heading = () => screen.queryByRole('heading', { name: part })
      for (let round = 0; round < 20 && !(heading() && notice()); round++) await arrival()
      expect(heading()).toBeTruthy()
      expect(notice()!.textContent).toContain('no adapter')
      expect(screen.queryByRole('complementary', { name: 'Experiment' })).toBeNull()
    }
    expect(screen.getByText('Merging files to disk runs on WebGPU.')).toBeTruthy()
    fireEvent.click(screen.getByRole('button', { name: 'Compare' }))
    expect(screen.getByRole('heading', { name: 'This browser gives the page no WebGPU' })).toBeTruthy()
    fireEvent.click(within(screen.getByRole('main')).getByRole('button', { name: 'Learn' }))
    await wait(100)
    expect(screen.getByRole('heading', { name: 'A tour in ten minutes' })).toBeTruthy()
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
