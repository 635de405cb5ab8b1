// @vitest-environment happy-dom
// Labellers in the whole state, against an engine that makes its scores up: whose scores are asked for and shown.
import { describe, expect, it } from 'vitest'
import { EngineError } from '../core/errors.ts'
import { decodeLink, encodeLink } from '../share/codec.ts'
import { sweepGrid } from '../share/parameters.ts'
import { chooseClasses, plugFiles, plugShipped } from './actions/labeller.ts'
import { currentHash } from './actions/link.ts'
import { reopenEngine, startStudio } from './actions/start.ts'
import { selectSweep } from './selectors.ts'
import { initialState, readState, useStudio } from './store.ts'
import { createFakeEngine } from './testing/fakeEngine.ts'
import { begin, experiment, resetStudio, runs, settle, stopStudio, stopWith } from './testing/freshStudio.ts'

resetStudio()

describe('labels', () => {
  const labelsOf = (digest: string) =>
    Object.values(runs().measurements).filter((measurement) => measurement.labels[digest])
  const digest = () => readState().models.labeller?.digest ?? 'none'

  it('follow behaviour: of the models, of the merge, of the average, and of no other point of the sweep', async () => {
    begin()
    await settle()
    expect(readState().models.labeller?.origin).toBe('built-in')
    const merges = labelsOf(digest()).flatMap(({ subject }) =>
      subject.kind === 'merge' ? subject.lambdaAlign : [],
    )
    expect(merges.sort((a, b) => a - b)).toEqual([0, 4])
    expect(labelsOf(digest()).length - merges.length).toBe(3)
    expect(location.hash).not.toContain('labeller')
  })

  it('of another labeller are asked for anew, and those of the first are kept apart', async () => {
    const engine = begin()
    await settle()
    const [first, before] = [digest(), engine.calls.length]
    const plugged = plugFiles([new File(['{}'], 'mine.json')])
    await settle()
    await plugged
    expect(digest()).not.toBe(first)
    expect(labelsOf(digest())).toHaveLength(5)
    expect(labelsOf(first)).toHaveLength(5)
    // Nothing but labels was measured again.
    const later = engine.calls.slice(before)
    expect(later.filter((call) => call === 'setLabeller')).toHaveLength(1)
    expect(later.filter((call) => call === 'measure')).toHaveLength(5)
    await plugShipped()
    await settle()
    expect(digest()).toBe(first)
    expect(engine.calls.slice(before).filter((call) => call === 'measure')).toHaveLength(5)
  })

  it('name their labeller in the link, unless it is the shipped one', async () => {
    begin()
    await settle()
    const labellerOf = (hash: string) => {
      const decoded = decodeLink(hash)
      return decoded.kind === 'link' ? decoded.state.view.labeller : 'no link'
    }
    expect(labellerOf(currentHash())).toBeUndefined()
    const plugged = plugFiles([new File(['{}'], 'mine.json')])
    await settle()
    await plugged
    expect(labellerOf(currentHash())).toEqual({ name: 'mine.json', digest: digest() })
    await settle(1000)
    expect(labellerOf(location.hash)).toEqual({ name: 'mine.json', digest: digest() })
    await plugShipped()
    await settle()
    expect(labellerOf(currentHash())).toBeUndefined()
  })

  it('of a labeller that a link names and nobody has opened are not invented', async () => {
    begin()
    await settle(2000)
    const labeller = { name: 'theirs', digest: 'ab'.repeat(32) }
    stopStudio()
    const view = { page: 'studio' as const, aqiView: 'prompts' as const, prompt: '', labeller }
    history.replaceState(null, '', encodeLink({ experiment: experiment(), view }))
    useStudio.setState(initialState(), true)
    begin()
    await settle()
    expect(readState().view.labeller).toEqual(labeller)
    expect(readState().models.labeller?.origin).toBe('built-in')
    expect(labelsOf(labeller.digest)).toEqual([])
    await plugShipped()
    expect(readState().view.labeller).toBeNull()
  })

  it('that a labeller refuses to give leave everything else measured, under one error', async () => {
    const engine = createFakeEngine()
    stopWith(
      startStudio(() => {
        const connection = engine.connect()
        const { measure } = connection.port
        connection.port.measure = async (jobId, asked, subject, parts) => {
          if (parts.includes('labels'))
            throw new EngineError('not-finite', 'logit 0 of the classifier is NaN')
          return measure(jobId, asked, subject, parts)
        }
        return connection
      }),
    )
    await settle()
    expect(labelsOf(digest())).toEqual([])
    expect(runs().errors.map(({ action }) => action)).toEqual(['Scoring the answers'])
    expect(selectSweep(runs().measurements, experiment())).toHaveLength(sweepGrid.length)
  })

  it('come from the same labeller after the engine was opened again', async () => {
    const engine = begin()
    await settle()
    const plugged = plugFiles([new File([''], 'model.onnx'), new File(['{}'], 'config.json')])
    await settle()
    await plugged
    const own = digest()
    expect(readState().models.labeller?.source.kind).toBe('onnx')
    await Promise.all([chooseClasses({ goodLabel: 'neutral' }), settle()])
    expect(digest()).not.toBe(own)
    const chosen = digest()
    engine.emit({ kind: 'device-lost', reason: 'driver reset' })
    await Promise.all([reopenEngine(), settle()])
    expect(digest()).toBe(chosen)
  })

  it('stay away where the shipped rules cannot be read, and nothing else does', async () => {
    begin({ errors: { setLabeller: new EngineError('file-missing', 'not there', { file: 'rules.json' }) } })
    await settle()
    expect(readState().models.labeller).toBeNull()
    expect(runs().errors).toMatchObject([{ action: 'Opening the labeller' }])
    expect(selectSweep(runs().measurements, experiment())).toHaveLength(sweepGrid.length)
  })
})
