// @vitest-environment happy-dom
// Opening links: what they bring, what they ask before, and what never enters the address.
import { describe, expect, it, vi } from 'vitest'
import type { Experiment } from '../../../workers/api.ts'
import { decodeLink, encodeLink } from '../../share/codec.ts'
import type { LinkState, LinkView } from '../../share/experiment.ts'
import { fitResults } from '../../share/results.ts'
import { readLink } from '../actions/link.ts'
import { setNumber } from '../actions/recipe.ts'
import { setPrompt } from '../actions/view.ts'
import { usePinStore } from '../pins/store.ts'
import { currentMerge } from '../plan.ts'
import { initialState, readState, useStudio } from '../store.ts'
import { useSweeps } from '../sweeps/store.ts'
import { fakeResults } from '../testing/fakeResults.ts'
import { begin, experiment, resetStudio, runs, settle, stopStudio } from '../testing/freshStudio.ts'
import { acceptForeign, declineForeign, useForeign } from './foreign.ts'
import { present, readEmbed, readHide, usePresentation } from './presentation.ts'
import { provenanceOf } from './received.ts'

resetStudio()

const plainView: LinkView = { page: 'studio', aqiView: 'prompts', prompt: '' }

async function defaultExperiment(): Promise<Experiment> {
  begin()
  await settle(3000)
  const found = experiment()
  stopStudio()
  useStudio.setState(initialState(), true)
  return { ...found, probesPerClass: 64 }
}

async function open(state: LinkState | string, options: Parameters<typeof begin>[0] = {}) {
  history.replaceState(null, '', typeof state === 'string' ? state : encodeLink(state))
  const engine = begin(options)
  await settle(10)
  await vi.dynamicImportSettled()
  return engine
}

/** The address is edited by hand. Its event comes on the real clock, whatever the tests' own one says. */
async function edited(state: LinkState): Promise<void> {
  location.hash = encodeLink(state)
  await vi.waitFor(() => expect(experiment().seed).toBe(state.experiment.seed))
  await settle(1000)
}

const addressState = () => {
  const decoded = decodeLink(location.hash)
  if (decoded.kind !== 'link') throw new Error(JSON.stringify(decoded))
  return decoded.state
}

describe('a link with results', () => {
  it('is shown before anything is computed, and stays in the address while it is about this', async () => {
    const asked = await defaultExperiment()
    const { hash } = fitResults({ experiment: asked, view: plainView }, fakeResults(asked))
    const engine = await open(hash, { measureLimit: 0 })
    expect(provenanceOf(runs(), asked, currentMerge(asked), 'aqi')).toBe('link')
    expect(engine.calls).not.toContain('measure')
    setPrompt('anything at all')
    await settle(1000)
    expect(addressState().results).toBeDefined()
    setNumber('lambdaAlign', 2)
    await settle(1000)
    expect(addressState().results).toBeUndefined()
    setNumber('lambdaAlign', asked.lambdaAlign)
    await settle(1000)
    expect(addressState().results).toBeDefined()
    // The next link brings none.
    await edited({ experiment: { ...asked, seed: 9 }, view: plainView })
    expect(runs().received).toEqual([])
  })

  it('that was left while its results were being read brings none', async () => {
    const asked = await defaultExperiment()
    const { hash } = fitResults({ experiment: asked, view: plainView }, fakeResults(asked))
    begin({ measureLimit: 0 })
    readLink(hash)
    readLink(encodeLink({ experiment: { ...asked, seed: 9 }, view: plainView }))
    await settle(10)
    await vi.dynamicImportSettled()
    await settle(1000)
    expect(experiment().seed).toBe(9)
    expect(runs().received).toEqual([])
  })

  it('opens its sweep, its pins and its tables, and leaves alone what it does not name', async () => {
    const asked = await defaultExperiment()
    const sweep = { kind: 'line', x: { parameter: 'rank', from: 1, to: 16, count: 4 } } as const
    const pinned = { ...asked, lambdaAlign: 64 }
    await open({
      experiment: asked,
      view: { ...plainView, sweep, picture: 'pareto', pins: { b: pinned }, tables: ['clusters'] },
    })
    expect(useSweeps.getState()).toMatchObject({ spec: sweep, picture: 'pareto' })
    expect(usePinStore.getState()).toEqual({ a: null, b: pinned })
    expect(readState().view.asTable).toMatchObject({ clusters: true, sweep: false })
    await edited({ experiment: { ...asked, seed: 9 }, view: plainView })
    expect(usePinStore.getState().b).toEqual(pinned)
    expect(readState().view.asTable.clusters).toBe(true)
  })
})

describe('a link to models elsewhere', () => {
  const foreign = async (): Promise<LinkState> => {
    const asked = await defaultExperiment()
    return {
      experiment: {
        ...asked,
        anchor: { kind: 'url', url: 'https://models.example:8443/anchor/' },
        experts: [
          { origin: { kind: 'hub', repo: 'owner/name', revision: 'ab'.repeat(20) }, weight: 0.5 },
          ...asked.experts.slice(0, 1),
        ],
      },
      view: plainView,
    }
  }
  const fetches = ['openUrl', 'openSource', 'openFiles']

  it('says which hosts would be asked for what, and asks none of them', async () => {
    const state = await foreign()
    const fetched = vi.spyOn(globalThis, 'fetch')
    const engine = await open(state)
    await settle(60_000)
    const addresses = fetched.mock.calls.map(([input]) =>
      String(input instanceof Request ? input.url : input),
    )
    expect(addresses.filter((address) => /models\.example|huggingface/.test(address))).toEqual([])
    expect(useForeign.getState().models.map(({ host, what }) => [host, what])).toEqual([
      ['models.example:8443', 'https://models.example:8443/anchor/'],
      ['huggingface.co', `owner/name @ ${'ab'.repeat(20)}`],
    ])
    expect(engine.calls.filter((name) => fetches.includes(name))).toEqual([])
    declineForeign()
    await settle(60_000)
    expect(engine.calls.filter((name) => fetches.includes(name))).toEqual([])
    expect(useForeign.getState().models).toEqual([])
  })

  it('fetches them when told to', async () => {
    const state = await foreign()
    const engine = await open(state)
    await settle(10_000)
    void acceptForeign()
    await settle(10_000)
    expect(engine.calls.filter((name) => fetches.includes(name))).toEqual(['openUrl', 'openSource'])
  })
})

describe('what a link shows', () => {
  it('is said by the address and by the link together', async () => {
    expect(readEmbed('?embed')).toBe(true)
    expect(readEmbed('?x=1&embed=1')).toBe(true)
    expect(readEmbed('?embed=0')).toBe(false)
    expect(readEmbed('?embedded')).toBe(false)
    expect(readHide('?hide=library,recipe,errors')).toEqual(['library', 'recipe'])
    present('?hide=merge', { hide: ['recipe'] })
    expect([...usePresentation.getState().hidden].sort()).toEqual(['merge', 'recipe'])
    expect(document.documentElement.dataset.hide?.split(' ').sort()).toEqual(['merge', 'recipe'])
    present('')
    expect(document.documentElement.dataset.hide).toBeUndefined()
  })

  it('stays in the address when the page writes it anew', async () => {
    const asked = await defaultExperiment()
    await open({ experiment: asked, view: { ...plainView, hide: ['library'] } })
    setNumber('lambdaAlign', 2)
    await settle(1000)
    expect(addressState().view.hide).toEqual(['library'])
  })
})

describe('what nobody shared', () => {
  it('does not stand in the address: a typed prompt stays here, an example may go', async () => {
    const asked = await defaultExperiment()
    await open({ experiment: asked, view: plainView })
    setPrompt('my secret')
    await settle(1000)
    expect(JSON.stringify(addressState())).not.toContain('secret')
    setPrompt('sort 7 1 4 3')
    await settle(1000)
    expect(addressState().view.prompt).toBe('sort 7 1 4 3')
  })
})
