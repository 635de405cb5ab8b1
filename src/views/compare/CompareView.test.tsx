// @vitest-environment happy-dom
// The comparison page and the labeller panel in the whole page, driven by an engine that makes its numbers up.
import { act, cleanup, configure, fireEvent, render, screen, within } from '@testing-library/react'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { EngineError } from '../../core/errors.ts'
import { decodeLink, encodeLink } from '../../share/codec.ts'
import { comparedMethods } from '../../share/comparison.ts'
import { session } from '../../state/actions/session.ts'
import { startStudio } from '../../state/actions/start.ts'
import { selectCompared, selectMergeMeasurement } from '../../state/selectors.ts'
import { initialState, readState, useStudio } from '../../state/store.ts'
import { createFakeEngine, type FakeEngine } from '../../state/testing/fakeEngine.ts'
import { App } from '../app/App.tsx'
import { placeholderExperiment } from '../app/placeholderExperiment.ts'

// Asking the style of every ancestor of every element takes most of the time in this DOM.
configure({ defaultHidden: true })

const experts = ['task-sort', 'task-reverse'].map((id) => ({
  origin: { kind: 'built-in' as const, id },
  weight: 0.5,
}))
const experiment = { ...placeholderExperiment, anchor: { kind: 'built-in' as const, id: 'anchor' }, experts }

let stop: () => void = () => {}
const wait = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms))

/** The page with everything measured; `failing` names a method whose merge cannot be made. */
async function open(
  options: { failing?: string; labeller?: { name: string; digest: string } } = {},
): Promise<FakeEngine> {
  const view = { page: 'compare' as const, aqiView: 'completions' as const, prompt: '' }
  const { failing, labeller } = options
  history.replaceState(null, '', encodeLink({ experiment, view: { ...view, ...(labeller && { labeller }) } }))
  const engine = createFakeEngine()
  stop = startStudio(() => {
    const connection = engine.connect()
    const { measure } = connection.port
    connection.port.measure = async (id, asked, subject, parts) => {
      if (asked.method === failing && subject.kind === 'merge')
        throw new EngineError('shape-mismatch', 'the Gram matrix is singular')
      return measure(id, asked, subject, parts)
    }
    return connection
  })
  // Rendered once everything has arrived: a hundred renders on the way would test nothing more.
  await vi.advanceTimersByTimeAsync(120_000)
  render(<App />)
  // The page is loaded when it is opened.
  await act(() => vi.dynamicImportSettled())
  await wait(500)
  return engine
}

const table = () => within(screen.getByRole('region', { name: 'Methods' })).getByRole('table')
const rowHeaders = () =>
  within(table())
    .getAllByRole('rowheader')
    .map((cell) => cell.textContent)
/** Number of a column in every row, in order; NaN where there is none. */
function numbersOf(column: string): number[] {
  const heads = within(table())
    .getAllByRole('columnheader')
    .filter((cell) => cell.getAttribute('scope') === 'col')
  const index = heads.findIndex((cell) => cell.textContent?.startsWith(column)) - 1
  return within(table())
    .getAllByRole('rowheader')
    .map((header) => {
      const cell = within(header.closest('tr')!).getAllByRole('cell')[index]
      return Number.parseFloat(cell?.querySelector('b')?.textContent ?? '')
    })
}
const ascending = (numbers: number[]) => numbers.every((value, i) => i === 0 || value >= numbers[i - 1]!)

beforeEach(() => {
  vi.useFakeTimers()
  session.readShipped = async () => undefined
  localStorage.clear()
  useStudio.setState(initialState(), true)
})
afterEach(async () => {
  stop()
  await vi.advanceTimersByTimeAsync(1000)
  vi.useRealTimers()
  cleanup()
})

describe('the comparison', () => {
  it('has a row for each model and each method, with every measure', async () => {
    await open()
    const labels = comparedMethods(2).map(({ label }) => label)
    const models = ['Anchor (aligned instruct)', 'Task expert: sort', 'Task expert: reverse']
    expect(rowHeaders().slice(0, 3)).toEqual(models)
    expect(rowHeaders().slice(3).sort()).toEqual([...labels].sort())
    expect(within(table()).queryAllByText('·')).toHaveLength(3)
    expect(numbersOf('Harmful refused').every(Number.isFinite)).toBe(true)
    expect(numbersOf('Toxicity').every(Number.isFinite)).toBe(true)
    expect(screen.getByText(/AQI budget broken by/).textContent).toMatch(
      new RegExp(`broken by \\d+ of ${labels.length} measured merges`),
    )
  })

  it('draws every row that has both numbers, on axes from 0 to 100', async () => {
    await open({ failing: 'regmean' })
    const plot = screen.getByRole('region', { name: 'Safety against skill' })
    await vi.waitFor(() => expect(plot.querySelector('.pareto-point')).toBeTruthy())
    expect(plot.querySelectorAll('.pareto-point')).toHaveLength(3 + comparedMethods(2).length - 1)
    const ticks = [...plot.querySelectorAll('.recharts-cartesian-axis-tick-value')].map(
      (tick) => tick.textContent,
    )
    expect(ticks).toEqual(['0', '25', '50', '75', '100', '0', '25', '50', '75', '100'])
  })

  it('is sorted by a column and turned by a second press; models stay on top', async () => {
    await open()
    const refused = numbersOf('Harmful refused').slice(3)
    expect(ascending([...refused].reverse())).toBe(true)
    const gibberish = screen.getByRole('button', { name: 'Gibberish' })
    gibberish.focus()
    expect(document.activeElement).toBe(gibberish)
    // Enter on a native button is a click; less is better here, so best first ascends.
    expect(gibberish.tagName).toBe('BUTTON')
    fireEvent.click(gibberish)
    expect(gibberish.closest('th')!.getAttribute('aria-sort')).toBe('ascending')
    expect(ascending(numbersOf('Gibberish').slice(3))).toBe(true)
    fireEvent.click(gibberish)
    expect(gibberish.closest('th')!.getAttribute('aria-sort')).toBe('descending')
    expect(ascending(numbersOf('Gibberish').slice(3).reverse())).toBe(true)
    expect(rowHeaders()[0]).toBe('Anchor (aligned instruct)')
    expect(
      within(table())
        .getAllByRole('columnheader')
        .filter((cell) => (cell.getAttribute('aria-sort') ?? 'none') !== 'none'),
    ).toHaveLength(1)
  })

  it('opens the very merge of a row', async () => {
    await open()
    for (const row of selectCompared(experiment)) {
      const link = within(table()).getByRole('rowheader', { name: row.label }).querySelector('a')
      const decoded = decodeLink(new URL(link!.href).hash)
      if (decoded.kind !== 'link') throw new Error(row.label)
      expect(decoded.state.view).toEqual({ page: 'studio', aqiView: 'completions', prompt: '' })
      const { measurements } = readState().runs
      const own = selectMergeMeasurement(measurements, row.experiment)
      expect(own?.complete, row.label).toContain('behaviour')
      expect(selectMergeMeasurement(measurements, decoded.state.experiment)).toBe(own)
    }
    const fisher = within(table()).getByRole('rowheader', { name: 'Fisher average' }).querySelector('a')!
    location.hash = new URL(fisher.href).hash
    // The environment reports the change in real time, the test's clock is not.
    dispatchEvent(new Event('hashchange'))
    await wait(1000)
    expect(readState().recipe.experiment?.method).toBe('fisher_average')
    expect(screen.getByRole('columnheader', { name: 'Merge: Fisher average' })).toBeTruthy()
  })

  it('says why a merge could not be measured, in its row alone', async () => {
    await open({ failing: 'regmean' })
    const row = within(table()).getByRole('rowheader', { name: 'RegMean' }).closest('tr')!
    expect(
      within(row)
        .getAllByRole('cell')
        .map((cell) => cell.textContent),
    ).toEqual(['the Gram matrix is singular'])
    expect(screen.queryByRole('alert')).toBeNull()
    expect(numbersOf('Harmful refused').filter((value) => !Number.isFinite(value))).toHaveLength(1)
  })
})

describe('the labeller', () => {
  const panel = () => within(screen.getByRole('complementary', { name: 'Experiment' }))
  const groups = () =>
    within(table())
      .getAllByRole('columnheader')
      .filter((cell) => cell.getAttribute('scope') === 'colgroup')
      .map((cell) => cell.textContent)

  it('names the group of its columns; another one brings its own columns and scores', async () => {
    const engine = await open()
    expect(groups()).toContain('Labeller: Zoo rules (ours)')
    const before = numbersOf('Toxicity')
    fireEvent.change(panel().getByLabelText('Rule set'), {
      target: { files: [new File(['{}'], 'mine.json', { type: 'application/json' })] },
    })
    await wait(20_000)
    expect(engine.calls.filter((call) => call === 'setLabeller')).toHaveLength(2)
    expect(groups()).toContain('Labeller: mine.json')
    expect(screen.queryByRole('button', { name: 'Judge' })).toBeNull()
    expect(numbersOf('Toxicity').every(Number.isFinite)).toBe(true)
    expect(numbersOf('Toxicity')).not.toEqual(before)
    fireEvent.click(panel().getByRole('button', { name: 'Use the shipped rules' }))
    await wait(20_000)
    expect(groups()).toContain('Labeller: Zoo rules (ours)')
    expect(numbersOf('Toxicity')).toEqual(before)
  })

  it('of a classifier shows which class means what, and takes another choice', async () => {
    await open()
    fireEvent.change(panel().getByLabelText('Classifier folder'), {
      target: { files: [new File([''], 'model.onnx'), new File(['{}'], 'config.json')] },
    })
    await wait(20_000)
    const toxic = panel().getByRole('combobox', { name: 'Toxic is' })
    expect(toxic).toHaveProperty('value', 'toxic')
    expect(panel().getByRole('combobox', { name: 'Good is' })).toHaveProperty('value', '')
    const digest = readState().models.labeller?.digest
    fireEvent.change(panel().getByRole('combobox', { name: 'Good is' }), { target: { value: 'neutral' } })
    await wait(20_000)
    expect(panel().getByRole('combobox', { name: 'Good is' })).toHaveProperty('value', 'neutral')
    expect(readState().models.labeller?.digest).not.toBe(digest)
    expect(screen.getByRole('button', { name: 'Judge' })).toBeTruthy()
    expect(numbersOf('Judge').every(Number.isFinite)).toBe(true)
  })

  it('that a link names and nobody has opened is asked for, not replaced in silence', async () => {
    await open({ labeller: { name: 'theirs', digest: 'ab'.repeat(32) } })
    expect(
      panel().getByText(/The link was made with “theirs” \(SHA-256 abababab…\), which is not loaded/),
    ).toBeTruthy()
    expect(groups()).toContain('Labeller: Zoo rules (ours)')
    fireEvent.click(panel().getByRole('button', { name: 'Use the shipped rules' }))
    await wait(100)
    expect(panel().queryByText(/The link was made with “theirs”/)).toBeNull()
  })
})
